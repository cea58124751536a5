extension PreviousJournalTests {
    /// The texts at the head of the two blocks of the same journal's mark.
    static let mark = (
        newer: "greylock-mark 1 8441FECF8778D7164B20CC45B1907537 9 73 14 1192726620\n",
        older: "greylock-mark 1 8441FECF8778D7164B20CC45B1907537 8 72 13 3350751534\n"
    )

    /// What `sqlite3 journal.sqlite .dump` gave of the journal that the program of schema 3 (revision fd22b59) kept with the
    /// keys of the demonstration on 2026-11-26 from 06:53:41 on: a sale; one that a card escaped from; one prepaid, and
    /// its refund; and one in whose middle the process was killed. The second copy of the state is made of the first.
    static let dump = """
        CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY);
        INSERT INTO grdb_migrations VALUES ('1');
        INSERT INTO grdb_migrations VALUES ('2');
        INSERT INTO grdb_migrations VALUES ('3');
        CREATE TABLE sale (
            ttc INTEGER PRIMARY KEY,
            kind TEXT NOT NULL,
            phase TEXT NOT NULL,
            position INTEGER NOT NULL,
            terminal_id TEXT NOT NULL,
            lock_time TEXT NOT NULL,
            end_time TEXT,
            card_asn TEXT NOT NULL,
            key_index INTEGER NOT NULL,
            key_version INTEGER NOT NULL,
            balance_before_fen INTEGER NOT NULL,
            ctc INTEGER NOT NULL,
            mac3 TEXT,
            lock_tac TEXT,
            icc TEXT,
            nozzle INTEGER NOT NULL,
            grade TEXT NOT NULL,
            unit_price_fen_per_litre INTEGER NOT NULL,
            counts TEXT NOT NULL,
            volume_microlitres INTEGER NOT NULL,
            missed_edges TEXT NOT NULL,
            dead_legs TEXT NOT NULL,
            sequence_gaps TEXT NOT NULL,
            both_together INTEGER NOT NULL,
            amount_fen INTEGER NOT NULL,
            non_card_part_fen INTEGER NOT NULL,
            sealed_gmac BLOB,
            debit_ttc INTEGER,
            debit_type TEXT,
            debit_time TEXT,
            debit_tac TEXT,
            mac4_is_valid INTEGER,
            mac2_is_valid INTEGER,
            totaliser_nozzle INTEGER,
            totaliser_counts TEXT,
            totaliser_base_microlitres INTEGER,
            totaliser_volume_microlitres INTEGER,
            totaliser_fen INTEGER,
            totaliser_overrun_counts INTEGER,
            settles_ttc INTEGER,
            remark TEXT
        , debit_terminal_id TEXT, earlier_debits TEXT, further_faults TEXT, code BLOB) STRICT;
        INSERT INTO sale VALUES (1,'sale','settled',1,'001122334455','20261126065342','20261126065347',\
        '00010000000000000043',1,1,50000,0,'E4068535','30BBCB98',NULL,1,'92',785,'[3200]',8000000,'[0,0]','[0,\
        0]','[0,0]',0,6280,0,NULL,1,'10','20261126065347','9A28FF17',1,NULL,1,'[3200]',0,8000000,6280,0,NULL,\
        NULL,'001122334455',NULL,NULL,X'4d667b8bc6d6bbeb594d220319c55c53');
        INSERT INTO sale VALUES (3,'escape','escaped',1,'001122334455','20261126065348','20261126065352',\
        '00010000000000000043',1,1,43720,1,'F6739D6D','186B4ED8',NULL,1,'92',785,'[1927]',4817500,'[0,0]','[0,\
        0]','[0,0]',0,3784,0,X'9313e30325a9c5b443f26c76458796da9af1c10e47a67743bceafc580d850fb4',NULL,NULL,NULL,\
        NULL,NULL,NULL,1,'[5127]',0,12817500,10064,0,NULL,NULL,NULL,NULL,NULL,\
        X'558c29d40c827b1f0508b2bdfb2a86b8');
        INSERT INTO sale VALUES (5,'prepaid','settled',1,'001122334455','20261126065356','20261126065359',\
        '00010000000000000044',1,1,50000,0,'52E3A969','F1EC0A31',NULL,1,'92',785,'[2400]',6000000,'[0,0]','[0,\
        0]','[0,0]',0,7850,0,NULL,5,'10','20261126065356','36465182',1,NULL,1,'[7527]',0,18817500,14774,0,NULL,\
        NULL,'001122334455',NULL,NULL,X'0729e4845299c038dbfae6530cd49d29');
        INSERT INTO sale VALUES (7,'refund','settled',1,'001122334455','20261126065359','20261126065359',\
        '00010000000000000044',1,1,50000,0,NULL,NULL,NULL,1,'92',785,'[0]',0,'[0,0]','[0,0]','[0,0]',0,3140,0,\
        NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,5,NULL,NULL,NULL,NULL,\
        X'1cf464aa1bb1f8e885c1b3e8e4f24685');
        INSERT INTO sale VALUES (8,'sale','locked',1,'001122334455','20261126065403',NULL,\
        '00010000000000000044',1,1,42150,1,'17DFCADF','5DA2D943',NULL,1,'92',785,'[0]',0,'[0,0]','[0,0]','[0,\
        0]',0,0,0,X'94cd6d48a71b3dd5d83aaaf4578c75f875e59ed64eb6bc3dda41e06a0fd66c85',NULL,NULL,NULL,NULL,NULL,\
        NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,X'6a42a47b6af9759171445a38d072aacc');
        CREATE TABLE position_lock (
            position INTEGER PRIMARY KEY,
            since TEXT NOT NULL,
            reason TEXT NOT NULL
        , code BLOB) STRICT;
        CREATE TABLE checkpoint (
            ttc INTEGER PRIMARY KEY,
            card_asn TEXT NOT NULL,
            key_index INTEGER NOT NULL,
            key_version INTEGER NOT NULL,
            ctc INTEGER NOT NULL,
            counts TEXT NOT NULL,
            volume_microlitres INTEGER NOT NULL,
            missed_edges TEXT NOT NULL,
            dead_legs TEXT NOT NULL,
            sequence_gaps TEXT NOT NULL,
            both_together INTEGER NOT NULL,
            amount_fen INTEGER NOT NULL,
            non_card_part_fen INTEGER NOT NULL,
            sealed_gmac BLOB NOT NULL
        , terminal_id TEXT, further_faults TEXT, code BLOB) STRICT;
        INSERT INTO checkpoint VALUES (8,'00010000000000000044',1,1,1,'[3103]',7757500,'[0,0]','[0,0]','[0,0]',\
        0,6092,0,X'af65a115c24ded5f7567ca9d9d1dfe9b43cb7c6e90cf98278171ea4f8c432157','001122334455',NULL,\
        X'07153cfb54a2871737c0e930f272e343');
        CREATE TABLE grey_record (
            ttc INTEGER PRIMARY KEY,
            card_asn TEXT NOT NULL,
            key_index INTEGER NOT NULL,
            key_version INTEGER NOT NULL,
            ctc INTEGER NOT NULL,
            mac3 TEXT NOT NULL,
            amount_fen INTEGER NOT NULL,
            sealed_gmac BLOB NOT NULL,
            state TEXT NOT NULL,
            debit_ttc INTEGER,
            debit_type TEXT,
            debit_time TEXT
        , terminal_id TEXT, debit_terminal_id TEXT, earlier_debits TEXT, code BLOB) STRICT;
        INSERT INTO grey_record VALUES (3,'00010000000000000043',1,1,1,'F6739D6D',3784,\
        X'9313e30325a9c5b443f26c76458796da9af1c10e47a67743bceafc580d850fb4','open',NULL,NULL,NULL,\
        '001122334455',NULL,NULL,X'3924877d9d81ad12b12ad7e02b57c256');
        CREATE TABLE totaliser (
            nozzle INTEGER PRIMARY KEY,
            counts TEXT NOT NULL,
            base_microlitres INTEGER NOT NULL,
            volume_microlitres INTEGER NOT NULL,
            fen INTEGER NOT NULL,
            overrun_counts INTEGER NOT NULL
        , code BLOB) STRICT;
        INSERT INTO totaliser VALUES (1,'[7527]',0,18817500,14774,0,X'13f41ed94a79b6d6f761a7cd58427be2');
        CREATE TABLE clock_acceptance (
            after_ttc INTEGER PRIMARY KEY,
            accepted TEXT NOT NULL,
            behind TEXT NOT NULL
        , accepted_utc INTEGER, behind_utc INTEGER, code BLOB) STRICT;
        CREATE TABLE numbering (
            journal INTEGER PRIMARY KEY CHECK (journal = 1),
            identity TEXT NOT NULL,
            reserved INTEGER NOT NULL,
            is_marked INTEGER NOT NULL
        , code BLOB) STRICT;
        INSERT INTO numbering VALUES (1,'8441FECF8778D7164B20CC45B1907537',9,1,X'b93e93d0e7157d8304875e7d428f9ab1');
        CREATE TABLE journal_acceptance (
            number INTEGER PRIMARY KEY,
            accepted TEXT,
            reason TEXT NOT NULL,
            standing TEXT NOT NULL,
            reserved INTEGER NOT NULL,
            after_ttc INTEGER NOT NULL
        , code BLOB) STRICT;
        CREATE TABLE service_run (
            run INTEGER PRIMARY KEY,
            begun TEXT,
            follows_unclean_end INTEGER NOT NULL,
            uncounted_since TEXT,
            ended TEXT,
            has_ended INTEGER NOT NULL
        , code BLOB) STRICT;
        INSERT INTO service_run VALUES (1,'20261126065341',0,NULL,'20261126065354',1,\
        X'649790a8126cfa9120006112afaffb70');
        INSERT INTO service_run VALUES (2,'20261126065355',0,NULL,'20261126065400',1,\
        X'b786d68e4fb0ffd0132ac5cbfa2ba8dd');
        INSERT INTO service_run VALUES (3,'20261126065401',0,NULL,NULL,0,X'bd383de5677c852d74a438118c85e665');
        CREATE TABLE journal_state (
            id INTEGER PRIMARY KEY,
            identity BLOB NOT NULL,
            key_index INTEGER NOT NULL,
            key_version INTEGER NOT NULL,
            commits INTEGER NOT NULL,
            sealed BLOB NOT NULL
        ) STRICT;
        INSERT INTO journal_state VALUES (1,X'2cc3ea133a8979d813e45c5a0df0bec6',1,1,94,\
        X'7d900895d43a2c2fdd2c22ed2a487d5bcc298a736da8587ea70775b7fae294a8f867dffbe3311ef8d706361b48bec72c420b64\
        95c6eb34785e5fd6d1ef9075d7055956c0b9aebc3b43af073d894703bc6e1fa772349ed78902de35ccec6057d569412e59b2e044\
        8fe15329f6417fd9c083ec8b342d2293b6c6f886bbdceff6b79a3a0dc9fab542e6abb3487a4e9532876165806042f415b532c0aa\
        3bec3a4d2b469046239f0484959614e443624b979886fd6d840095aa0fbcd57afff795b170fdd48518ac430cee3309435db5f894\
        18ab28ccb9a84d6f5b89286994371dc9602d68abdd52718e2dc60b0938a466c9f388b9e18d6f6141266139440b65ef8451126c2c\
        5367d83c3b56629d3721acdea202f06b6bc3a8b69c0b4a9b1ebf9e69884b24dece3deb6bab9d396e00');
        INSERT INTO journal_state SELECT 2, identity, key_index, key_version, commits, sealed FROM journal_state;
        CREATE TABLE clock_floor (
            id INTEGER PRIMARY KEY,
            utc INTEGER NOT NULL,
            local TEXT NOT NULL
        , code BLOB) STRICT;
        INSERT INTO clock_floor VALUES (1,1795676043,'20261126065403',X'9b9dd74465a6c1ee925d9e8860d8a23d');
        CREATE INDEX sale_open ON sale (ttc) WHERE phase NOT IN ('settled', 'escaped', 'void');
        CREATE INDEX grey_record_open ON grey_record (substr(card_asn, 5), ttc)
            WHERE state NOT IN ('settled', 'void', 'elsewhere');
        CREATE INDEX sale_card ON sale (substr(card_asn, 5), ctc);
        """
}
