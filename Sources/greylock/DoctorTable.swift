/// What stands of a finding before anything is looked at.
struct FindingRow: Encodable, Sendable {
    let code: FindingCode
    let severity: Severity
    let area: Area
    let meaning: String
    let mend: String
    /// A page of the manual, a part of the README, the example, or an article of a `Documentation.docc`.
    let page: String

    static func of(_ code: FindingCode) -> FindingRow {
        guard let row = byCode[code] else { preconditionFailure("a finding without a row") }
        return row
    }

    private static let byCode = Dictionary(uniqueKeysWithValues: all.map { ($0.code, $0) })

    /// The rows of ``text``, which the tests hold to `Documentation.docc/What-doctor-finds.md`.
    static let all: [FindingRow] = {
        var rows: [FindingRow] = []
        var area: Area?
        for line in text.split(separator: "\n") {
            if line.hasPrefix("[") {
                area = Area(rawValue: String(line.dropFirst().dropLast()))
                continue
            }
            let cells = line.split(separator: "|").map { $0.trimmed }
            guard let area, cells.count == 5, let code = FindingCode(rawValue: cells[0]),
                let severity = Severity(rawValue: cells[1])
            else { preconditionFailure("\(line): no row of a finding") }
            rows.append(
                FindingRow(
                    code: code,
                    severity: severity,
                    area: area,
                    meaning: cells[2],
                    mend: cells[3],
                    page: cells[4]
                )
            )
        }
        return rows
    }()

    private static let text = """
        [configuration]
        configuration-missing | fault | there is no configuration to read | greylock setup writes one; or name yours with --config | man greylock-setup
        configuration-wrong | fault | the service refuses the configuration | mend the line that is named; the example says what each key means | greylock.toml of the examples
        configuration-forbidden | fault | the service's user may not read the configuration | let that user read file and folder: chmod o+r FILE, or give the file its group | README.md, "On a board"
        demonstration | warning | the published demonstration keys serve, which protect nothing | for a station: demonstration = false, and keys of the terminal's own | README.md, "Keys"
        edges-virtual | warning | a side has a virtual card or a simulated pump, which greylockd refuses | for a station: kind = "pcsc" and kind = "gpio"; for a bench: greylock run | README.md, "On a board"
        not-all-seen | warning | this user may not look at everything | run greylock doctor as root, or as the service's user | man greylock-doctor
        [lines]
        chip-missing | fault | the chip of GPIO lines is not there | name a chip that is there by its label, or load its driver: greylock lines --chip CHIP | man greylock-lines
        chip-ambiguous | fault | several chips have the label | name the one that is meant | man greylock-lines
        chip-forbidden | fault | the service's user may not open the chip | install the package anew, or 60-greylock-gpio.rules in /etc/udev/rules.d; udevadm control --reload, udevadm trigger --subsystem-match=gpio, and make the user a member of the chip's group | README.md, "On a board"
        chip-by-number | warning | the chip is named by its number, which another kernel gives to another chip | name it by its label | greylock.toml of the examples
        chip-failed | fault | the kernel does not tell of the chip's lines | look at the kernel's log: dmesg | man greylock-lines
        line-missing | fault | the chip has no such line | write a name or an offset that greylock lines lists | man greylock-lines
        line-ambiguous | fault | several lines of the chip have the name | write the offset that is meant | man greylock-lines
        line-wired-twice | fault | two roles have one line | wire one of them to another line | README.md, "On a board"
        line-held | fault | another program, or the kernel, holds a line of the pump | end that program, or take its overlay out of the board's settings; or wire the pump to another line | man greylock-lines
        line-otherwise | warning | the service holds a line with other settings than the configuration has now | let the service take the configuration over: systemctl kill --signal=HUP greylockd | README.md, "On a board"
        pull-other-than-profile | warning | an input has no pull, and the board's profile gives it one | set its bias as the profile does, or look that the board has a resistor there | Wiring-a-board.md
        [reader]
        pcscd-stopped | fault | the card service does not run | systemctl enable --now pcscd.socket | README.md, "On a board"
        pcscd-silent | fault | the card service does not answer | systemctl restart pcscd; a reader's driver may hang: plug the reader out and in | README.md, "On a board"
        reader-forbidden | fault | this user may not use card readers | install the package anew, which has the rule; or greylock-pcscd.rules in /etc/polkit-1/rules.d | README.md, "On a board"
        polkit-rule-missing | fault | no rule lets the service's user use card readers | install the package anew, which has the rule for its user; or greylock-pcscd.rules in /etc/polkit-1/rules.d, with the service's user in it | README.md, "On a board"
        reader-missing | fault | the side's card reader is not there | plug it in, or name one that is there with [side.N.card] reader, or where one is with port | greylock.toml of the examples
        readers-alike | fault | several readers are called the same but for a number that changes with the order of plugging | name the USB port of the side's own with [side.N.card] port; or use readers with a serial number in their name, or of two kinds; or leave one plugged in | 0025-one-reader-chosen-once.md
        reader-ambiguous | fault | the side's setting means several readers | write the whole name of one: [side.N.card] reader = "NAME" | greylock.toml of the examples
        reader-broken | fault | the reader is there and does not work | unplug it and plug it in again | README.md, "On a board"
        reader-in-use | warning | another program uses the card in the reader | end that program before the service starts | README.md, "On a board"
        card-mute | warning | the card in the reader says nothing | turn it over, or wipe its contacts; the next card shows whether it is the reader | README.md, "On a board"
        [keypad]
        keypad-missing | fault | the keypad is not there | plug it in, or write the path of one that is there | greylock.toml of the examples
        keypad-unfit | fault | the device is no keypad with all digits and Enter | write the path of a keypad, one under /dev/input/by-path | greylock.toml of the examples
        keypad-forbidden | fault | the service's user may not read the keypad | write its path into a copy of 62-greylock-keypad.rules in /etc/udev/rules.d, udevadm control --reload, and plug it in again | 0059-the-pins-keypad.md
        keypad-held | warning | another program has the keypad open | end that program: it reads the PINs, or keeps them from the service | 0059-the-pins-keypad.md
        [keys]
        storage-key-missing | fault | what opens the key store is not there | put it back; for a new terminal make one, as the example says | Sealing-and-recovery.md
        storage-key-forbidden | fault | the service's user may not read the storage key, or the token's PIN | give it the file: chown | greylock.toml of the examples
        storage-key-unguarded | fault | others may read a secret file, or it is none | chmod 600 | greylock.toml of the examples
        credential-missing | fault | the unit hands the credential of the storage key to nobody | copy greylockd-storage-key.conf to /etc/systemd/system/greylockd.service.d, and systemctl daemon-reload | Sealing-and-recovery.md
        credential-unopened | fault | the credential of the storage key did not open | greylock-storage-key restore COPY | Sealing-and-recovery.md
        keys-missing | fault | the terminal has no keys yet | greylock keys load --config CONFIG | README.md, "Keys"
        keys-unopened | fault | the key store does not open | put the store and the storage key that belong to this terminal in place | Sealing-and-recovery.md
        keys-not-active | fault | no key sells now | greylock keys activate --config CONFIG INDEX VERSION | README.md, "Keys"
        audit-log-unfit | warning | the audit log does not fit the key store | look at it: greylock audit verify --config CONFIG | 0052-older-copies-and-the-audit-log.md
        board-memory-unfit | fault | the board's memory holds nothing that opens the keys | look at its device file, its rule and its write protection | greylock.toml of the examples
        token-unfit | fault | the token's module is not there | install it, or write the path of the one that is there | 0048-a-token-holds-mpk.md
        [parameters]
        parameters-missing | fault | a side has no parameters under seal | greylock parameters import FILE --config CONFIG --name NAME --second NAME --reason TEXT, FILE being a copy of /usr/share/doc/greylock/examples/parameters.toml | README.md, "Parameters under seal"
        parameters-refused | fault | the parameters under seal are not to be believed here | greylock parameters verify --config CONFIG says which; put the newest book in place, or import anew | README.md, "Parameters under seal"
        board-serial-missing | fault | the board has no serial number to bind parameters to | systemd-machine-id-setup | README.md, "Parameters under seal"
        [journal]
        journal-newer | fault | a newer version of the service wrote the journal | install that version, or a later one: this one changes nothing | 0063-taking-over.md
        journal-unreadable | fault | the journal cannot be read | keep the file as it is, with its -wal file, and look at the disk | 0012-checked-beside-recovery.md
        journal-damaged | fault | rows of the journal are not believed | look at them, greylock position --config CONFIG names them; then, with the service stopped and as its user, greylock position --config CONFIG --accept-rows | man greylock-position
        journal-not-newest | fault | the journal may not be the newest | put the newest in its place; if this is it, with the service stopped and as its user, greylock position --config CONFIG --accept-journal REASON | 0018-numbers-and-looking.md
        journal-full | fault | the journal has no room for another card | collect the records, greylock station records --config CONFIG, and acknowledge them, greylock station acknowledge; or raise [journal] capacity | 0062-room-that-comes-back.md
        journal-filling | warning | the journal has little room | collect the records and acknowledge them; or raise [journal] capacity | 0062-room-that-comes-back.md
        side-closed-itself | fault | a side closed itself | mend what it says, then, with the service stopped and as its user, greylock position --config CONFIG --position N --clear --name NAME --reason TEXT | man greylock-position
        [clock]
        clock-unset | fault | the clock was never set | set it, timedatectl set-time, or give the board a time server; a board without a clock of its own forgets it again | README.md, "On a board"
        clock-behind | fault | the clock is behind the latest record | set it right; if it was ahead then, with the service stopped and as its user, greylock position --config CONFIG --accept-clock | man greylock-position
        clock-unsynchronised | warning | nothing keeps the clock right, and no clock of the board goes on while it has no power | give the board a time server, or a battery-backed clock | README.md, "On a board"
        rtc-missing | warning | the board has no clock that goes on while it has no power | add one, or let no card be served before a time server answered | README.md, "On a board"
        rtc-off | warning | the board's own clock shows another time | hwclock --systohc, once the time is right (Debian's util-linux-extra) | README.md, "On a board"
        [disk]
        folder-missing | fault | a folder of the service is not there | make it, for the service's user alone: install -d -m 700 -o USER FOLDER | README.md, "On a board"
        folder-forbidden | fault | the service's user may not write the folder | give it the folder: chown | README.md, "On a board"
        file-forbidden | fault | the service's user may not write a file of its own | give it the file: chown; run tools that write as that user: runuser -u greylock | README.md, "On a board"
        folder-in-memory | fault | the folder is in memory, and gone with the power | put it on a disk | greylock.toml of the examples
        disk-read-only | fault | the disk is mounted read-only | look at the kernel's log why, then mount -o remount,rw | README.md, "On a board"
        disk-full | fault | the disk has no room | make room, or give the folder a disk of its own | README.md, "On a board"
        disk-filling | warning | the disk has little room | make room | README.md, "On a board"
        disk-failed | fault | a durable write fails | look at the kernel's log: the disk may be worn out | README.md, "On a board"
        disk-slow | warning | a durable write takes long, and fuel waits for it | find what else writes there; or take a better disk | 0013-fuel-waits-for-the-disk.md
        disk-silent | fault | a durable write does not end | look at the kernel's log; the disk, or what it hangs on, does not answer | 0013-fuel-waits-for-the-disk.md
        disk-worn | warning | the disk says that it is near its end | copy it to a new one while it can be read | README.md, "On a board"
        [sockets]
        socket-group-missing | fault | the socket's group is not there | groupadd --system GROUP | 0061-line-protocol.md
        socket-group-foreign | fault | the service's user is no member of the socket's group, nor does its folder give it | usermod --append --groups GROUP USER, and start the service anew; with the package the folders of the example give them | 0061-line-protocol.md
        socket-folder-missing | fault | the socket's folder is not there, or the service's user may not write it | systemd-tmpfiles --create greylock.conf makes those of the package; another has to have the group and its bit setgid: install -d -m 2710 -o USER -g GROUP FOLDER | 0061-line-protocol.md
        [service]
        service-silent | fault | the service runs and does not answer at its socket | read its log: journalctl -u greylockd; its watchdog starts it anew if it stands still | 0061-line-protocol.md
        service-other-version | warning | the service that runs is of another version than this program | systemctl kill --signal=HUP greylockd: the new one takes over when nobody is served | 0063-taking-over.md
        side-out-of-order | fault | the service says that a side does not serve | do what it says; greylock explain CODE says who does what | man greylock-station-status
        user-missing | fault | the service's user is not there | install the package, or useradd --system --user-group greylock | README.md, "On a board"
        unit-missing | warning | systemd has no unit of the service | install the package, or copy greylockd.service to /etc/systemd/system, and systemctl daemon-reload | README.md, "On a board"
        unit-changed | warning | the unit's file was changed since systemd read it | systemctl daemon-reload | README.md, "On a board"
        unit-disabled | warning | the service does not start with the board | systemctl enable greylockd | README.md, "On a board"
        service-stopped | warning | the service does not run | systemctl start greylockd, and read its log: journalctl -u greylockd | man greylockd
        service-failed | fault | the service ended and is not started again | mend what its log says, journalctl -u greylockd, then systemctl restart greylockd | man greylockd
        real-time-forbidden | warning | the unit keeps real-time priority from the pump's thread | LimitRTPRIO=50 in the file of systemctl cat greylockd that has another; systemctl daemon-reload, and start the service anew | README.md, "On a board"
        pump-not-real-time | warning | a pump's thread of the running service has no real-time priority | LimitRTPRIO=50 in the unit's files (systemctl cat greylockd), no RestrictRealtime= and no ~@resources; then start the service anew | README.md, "On a board"
        memory-lock-forbidden | warning | the unit keeps the service from locking the memory of its keys | LimitMEMLOCK=4M in the file of systemctl cat greylockd that has another; systemctl daemon-reload, and start the service anew | README.md, "On a board"
        watchdog-off | warning | systemd does not watch the service | WatchdogSec=2 and WatchdogSignal=SIGKILL in the file of systemctl cat greylockd that has another; systemctl daemon-reload, and start the service anew | README.md, "On a board"
        hardware-watchdog-missing | warning | the board has no watchdog: when its kernel stands still, its outputs stay as they are | load its driver: dtparam=watchdog=on on a Raspberry Pi | README.md, "On a board"
        hardware-watchdog-off | warning | nobody feeds the board's watchdog, so that it watches nothing | RuntimeWatchdogSec=15 under [Manager] in /etc/systemd/system.conf.d/watchdog.conf, then systemctl daemon-reexec | README.md, "On a board"
        """
}

extension Substring {
    fileprivate var trimmed: String {
        String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}
