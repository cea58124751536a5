// What the latest versions added to the layout.

extension JournalSchema {
    /// What was ordered at the control socket. `position_block` says which sides are closed by order; `station_order` which orders
    /// were done, by user and key, with the SHA-256 of the order and its answer; `price_order` at which prices a side is to sell, from
    /// `effective_utc` on, NULL for at once, with what the configuration said then. A price without a user is the configuration's.
    /// `acknowledgement` says which records whoever collects them has.
    static let version11 = """
        CREATE TABLE position_block (
            position INTEGER PRIMARY KEY,
            blocked_utc INTEGER,
            blocked TEXT,
            user TEXT NOT NULL,
            reason TEXT NOT NULL,
            code BLOB
        ) STRICT;

        CREATE TABLE station_order (
            number INTEGER PRIMARY KEY,
            user_number INTEGER NOT NULL,
            order_key TEXT NOT NULL,
            digest TEXT NOT NULL,
            answer TEXT NOT NULL,
            done_utc INTEGER,
            done TEXT,
            code BLOB
        ) STRICT;

        CREATE TABLE price_order (
            number INTEGER PRIMARY KEY,
            position INTEGER NOT NULL,
            given_utc INTEGER,
            given TEXT,
            effective_utc INTEGER,
            fen_per_litre INTEGER NOT NULL,
            configured_fen_per_litre INTEGER NOT NULL,
            user TEXT,
            code BLOB
        ) STRICT;

        ALTER TABLE price_change ADD COLUMN user TEXT;

        CREATE TABLE acknowledgement (
            ttc INTEGER PRIMARY KEY,
            user TEXT NOT NULL,
            code BLOB
        ) STRICT;
        """

    /// `parameter_mark` says by side how far its parameters under seal had come. A record says under which program and parameters it
    /// began: `program_version` in words, `program_sha256` of the running file, `parameters_version` of the side, and
    /// `parameters_hash` of that set.
    static let version10 = """
        CREATE TABLE parameter_mark (
            position INTEGER PRIMARY KEY,
            version INTEGER NOT NULL,
            hash TEXT NOT NULL,
            calibration_counter INTEGER NOT NULL,
            configuration_counter INTEGER NOT NULL,
            code BLOB
        ) STRICT;

        ALTER TABLE sale ADD COLUMN program_version TEXT;
        ALTER TABLE sale ADD COLUMN program_sha256 TEXT;
        ALTER TABLE sale ADD COLUMN parameters_version INTEGER;
        ALTER TABLE sale ADD COLUMN parameters_hash TEXT;
        """

    /// `pulser_fault` counts by side: a row for each of the newest days with faults, `day` as YYYYMMDD, and one without a day for all
    /// since the journal was begun. `lock_clearing` says who opened a side, and what had closed it; `price_change` when a side
    /// began to sell at another price; `totals_difference` which keeper of a nozzle's totals was behind at a start. Their numbers
    /// count up in blocks of 2^24, one for each position or nozzle.
    static let version9 = """
        CREATE TABLE pulser_fault (
            id INTEGER PRIMARY KEY,
            position INTEGER NOT NULL,
            day TEXT,
            missed_edges TEXT NOT NULL,
            dead_legs TEXT NOT NULL,
            sequence_gaps TEXT NOT NULL,
            both_together INTEGER NOT NULL,
            further_faults TEXT,
            code BLOB
        ) STRICT;

        CREATE TABLE lock_clearing (
            number INTEGER PRIMARY KEY,
            position INTEGER NOT NULL,
            closed_since TEXT NOT NULL,
            closed_reason TEXT NOT NULL,
            cleared_utc INTEGER,
            cleared TEXT,
            name TEXT NOT NULL,
            reason TEXT NOT NULL,
            code BLOB
        ) STRICT;

        CREATE TABLE price_change (
            number INTEGER PRIMARY KEY,
            position INTEGER NOT NULL,
            since_utc INTEGER,
            since TEXT,
            from_fen_per_litre INTEGER,
            to_fen_per_litre INTEGER NOT NULL,
            code BLOB
        ) STRICT;

        CREATE TABLE totals_difference (
            number INTEGER PRIMARY KEY,
            nozzle INTEGER NOT NULL,
            found_utc INTEGER,
            found TEXT,
            keeper TEXT NOT NULL,
            from_microlitres INTEGER NOT NULL,
            from_fen INTEGER NOT NULL,
            to_microlitres INTEGER NOT NULL,
            to_fen INTEGER NOT NULL,
            code BLOB
        ) STRICT;
        """
}
