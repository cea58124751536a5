#!/usr/bin/python3
"""The fuel card's refuel in plain Python: what the same commands cost without our card.

    card.py COMMANDS ICC

A demonstration card (MPK, MTK, ASN, PIN and balance of spec/grey-lock.md, section 7; no transaction yet) answers the
commands of the file COMMANDS, one a line in hexadecimal. Its random numbers count up from ICC, 8 hexadecimal digits. It
writes its answers, one a line, then `nanoseconds N`: what all of them took together, reading and writing apart. When it
cannot run it writes `cannot` and why, and exits with 1.

It knows SELECT, READ BINARY of file 15, VERIFY, GET BALANCE, GET GREY STATUS and the refuel's three commands, with the
checks, counters, log and proof that belong to them. It keeps all of that in memory, and changes it whole or not at all; a
try is counted before its code is compared, as ours does.
Each command has one Le, the one that our terminal sends.
"""

import hmac
import sys
import time
from collections.abc import Callable
from typing import NamedTuple

try:
    try:
        from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
    except ImportError:  # before version 43
        from cryptography.hazmat.primitives.ciphers.algorithms import TripleDES
    from cryptography.hazmat.primitives.ciphers import Cipher, modes
except ImportError:
    print("cannot run without python3-cryptography")
    sys.exit(1)

SELECT = b"\x00\xa4\x04\x00"
NO_DATA = range(1)
AID = bytes.fromhex("F0504554524F4C01")
ASN = bytes.fromhex("00010000000000000042")
ISSUER = b"GREYLOCK"
FILE_15 = ISSUER + b"\x01\x01" + ASN + bytes.fromhex("20240101 20491231 01 00")
MPK = bytes.fromhex("11223344556677888877665544332211")
MTK = bytes.fromhex("00112233445566778899AABBCCDDEEFF")
PIN = bytes.fromhex("123456")
KEY_INDEX, KEY_VERSION, TRIPLE_DES = 1, 1, 0
PIN_TRIES = GMAC_TRIES = 3
BALANCE = 50000
COUNTER_MAX = 0xFFFF
LOG_RECORDS_MAX = 10
REFUEL, LOCAL_UNLOCK = b"\x10", b"\x12"


class Refused(Exception):
    def __init__(self, status):
        self.status = status.to_bytes(2, "big")


class Key:
    """A DES key of 8 or 16 bytes, expanded once; 3DES with equal parts is single DES."""

    def __init__(self, raw):
        self.encrypt = Cipher(TripleDES((raw * 3)[:24]), modes.ECB()).encryptor().update
        self.left = Key(raw[:8]) if len(raw) == 16 else self

    def child(self, factor):
        return self.encrypt(factor + bytes(byte ^ 0xFF for byte in factor))

    def mac(self, message):
        """ISO/IEC 9797-1 MAC algorithm 1 or 3 by the key's length, padding method 2, left 4 bytes."""
        message += b"\x80" + bytes(-(len(message) + 1) % 8)
        chain, encrypt, last = 0, self.left.encrypt, len(message) - 8
        for offset in range(0, last, 8):
            block = chain ^ int.from_bytes(message[offset : offset + 8], "big")
            chain = int.from_bytes(encrypt(block.to_bytes(8, "big")), "big")
        # E(left) D(right) E(left) of the last block is its 3DES.
        return self.encrypt((chain ^ int.from_bytes(message[last:], "big")).to_bytes(8, "big"))[:4]


class Command(NamedTuple):
    handler: Callable[[bytes], bytes]
    lengths: range
    le: int | None
    needs_pin: bool = False
    # Whether Table 1 wants the grey mark, or that there be none.
    grey: bool | None = None


class GreyLock(NamedTuple):
    icc: bytes
    ctc: int
    ttc: bytes
    mac3: bytes
    tac: bytes


class Image(NamedTuple):
    """What the card keeps without power."""

    balance: int = BALANCE
    ctc: int = 0
    online: int = 0
    pin_tries: int = PIN_TRIES
    gmac_tries: int = GMAC_TRIES
    grey: GreyLock | None = None
    log: tuple = ()
    proofs: dict = {}


class Card:
    def __init__(self, icc):
        factor = ASN[2:]
        self.purchase_key = Key(Key(MPK).child(factor))
        dtk = Key(MTK).child(factor)
        self.tac_key = Key(bytes(left ^ right for left, right in zip(dtk[:8], dtk[8:])))
        self.icc = icc
        self.image = Image()
        self.selected = self.pin_verified = self.local_unlock_begun = False
        self.pending = None
        self.commands = {
            SELECT: Command(self.select, range(5, 17), 0),
            b"\x00\xb0\x95\x00": Command(self.read_file, NO_DATA, len(FILE_15)),
            b"\x00\x20\x00\x00": Command(self.verify, range(2, 7), None),
            b"\x80\x5c\x00\x01": Command(self.get_balance, NO_DATA, 0x04),
            b"\xe0\x50\x01\x01": Command(self.initialize_for_petrol, range(0x0B, 0x0C), 0x10, True, False),
            b"\xe0\x50\x02\x01": Command(self.lock_for_petrol, range(0x0B, 0x0C), 0x08, False, False),
            b"\xe0\x54\x01\x00": Command(self.debit_for_petrol, range(0x1B, 0x1C), 0x08, True, True),
            b"\xe0\x50\x04\x01": Command(self.get_grey_status, NO_DATA, 0x11, False, True),
        }

    def respond(self, command):
        try:
            return self.execute(command) + b"\x90\x00"
        except Refused as refused:
            self.pending = None
            return refused.status

    def execute(self, command):
        data, le = self.parse(command)
        known = self.commands.get(command[:4])
        if known is None:
            raise Refused(0x6D00)
        if len(data) not in known.lengths or (le is None) != (known.le is None):
            raise Refused(0x6700)
        if le != known.le:
            raise Refused(0x6C00 | known.le)
        if self.image.gmac_tries == 0:
            raise Refused(0x9303)
        if not self.selected and command[:4] != SELECT:
            raise Refused(0x6985)
        if known.grey is not None and known.grey != (self.image.grey is not None):
            raise Refused(0x6901)
        if known.needs_pin and not self.pin_verified:
            raise Refused(0x6982)
        return known.handler(data)

    @staticmethod
    def parse(command):
        """Data and Le of a short command."""
        if len(command) <= 5:
            if len(command) < 4:
                raise Refused(0x6700)
            return b"", command[4] if len(command) == 5 else None
        end = 5 + command[4]
        if command[4] == 0 or len(command) not in (end, end + 1):
            raise Refused(0x6700)
        return command[5:end], command[end] if len(command) > end else None

    def select(self, aid):
        if aid != AID:
            raise Refused(0x6A82)
        self.selected, self.pin_verified, self.local_unlock_begun = True, False, False
        self.pending = None
        own = b"\x9f\x0c" + bytes([len(ISSUER)]) + ISSUER
        content = b"\x84" + bytes([len(AID)]) + AID + b"\xa5" + bytes([len(own)]) + own
        return b"\x6f" + bytes([len(content)]) + content

    def read_file(self, _):
        return FILE_15

    def verify(self, pin):
        if self.image.pin_tries == 0:
            raise Refused(0x6983)
        before = self.image
        self.image = before._replace(pin_tries=before.pin_tries - 1)
        if not hmac.compare_digest(pin, PIN):
            self.pin_verified = False
            raise Refused(0x63C0 | self.image.pin_tries)
        self.image = before._replace(pin_tries=PIN_TRIES)
        self.pin_verified = True
        return b""

    def get_balance(self, _):
        return self.image.balance.to_bytes(4, "big")

    def get_grey_status(self, _):
        image = self.image
        self.local_unlock_begun = True
        numbers = image.balance << 32 | image.ctc << 16 | image.online
        return b"\x01" + numbers.to_bytes(8, "big") + image.grey.mac3 + image.grey.tac

    def initialize_for_petrol(self, data):
        image, terminal, ttc = self.image, data[1:7], data[7:]
        if data[0] != KEY_INDEX:
            raise Refused(0x9403)
        if image.ctc == COUNTER_MAX:
            raise Refused(0x9402)
        icc = self.icc.to_bytes(4, "big")
        self.icc = self.icc + 1 & 0xFFFFFFFF
        session = self.session(icc, image.ctc, ttc)
        self.pending = session, icc, terminal, ttc
        balance = image.balance.to_bytes(4, "big")
        mac1 = session.mac(balance + REFUEL + terminal)
        return balance + image.ctc.to_bytes(2, "big") + bytes([KEY_VERSION, TRIPLE_DES]) + icc + mac1

    def lock_for_petrol(self, data):
        if self.pending is None:
            raise Refused(0x6901)
        image, (session, icc, terminal, ttc) = self.image, self.pending
        moment = REFUEL + terminal + data[:7]
        if not hmac.compare_digest(session.mac(moment), data[7:]):
            raise Refused(0x9302)
        message = image.balance.to_bytes(4, "big") + image.ctc.to_bytes(2, "big") + moment
        tac, mac3 = self.tac_key.mac(message), session.mac(message)
        self.image = image._replace(grey=GreyLock(icc, image.ctc, ttc, mac3, tac), ctc=image.ctc + 1)
        self.pending = None
        return tac + mac3

    def debit_for_petrol(self, data):
        image = self.image
        grey = image.grey
        money, terminal, ttc, moment, gmac = data[:4], data[6:12], data[12:16], data[16:23], data[23:]
        if int.from_bytes(data[4:6], "big") != image.ctc:
            raise Refused(0x6985)
        self.image = image._replace(gmac_tries=image.gmac_tries - 1)
        if not hmac.compare_digest(self.session(grey.icc, grey.ctc, grey.ttc).mac(money), gmac):
            raise Refused(0x9302)
        amount = int.from_bytes(money, "big")
        if amount > image.balance:
            self.image = image
            raise Refused(0x9401)
        kind = LOCAL_UNLOCK if self.local_unlock_begun else REFUEL
        mac4 = self.purchase_key.mac(money + kind + terminal + moment)
        tac = self.tac_key.mac(money + kind + terminal + ttc + moment)
        record = grey.ctc.to_bytes(2, "big") + bytes(3) + money + kind + terminal + moment
        self.image = image._replace(
            balance=image.balance - amount,
            gmac_tries=GMAC_TRIES,
            grey=None,
            log=(record, *image.log[: LOG_RECORDS_MAX - 1]),
            proofs={**image.proofs, kind: (grey.ctc, mac4, tac)},
        )
        self.pending = None
        return tac + mac4

    def session(self, icc, ctc, ttc):
        return Key(self.purchase_key.encrypt(icc + ctc.to_bytes(2, "big") + ttc[2:]))


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: card.py COMMANDS ICC")
    path, icc = sys.argv[1:]
    with open(path, encoding="ascii") as file:
        commands = [bytes.fromhex(line) for line in file]
    card = Card(int(icc, 16))
    answers = []
    start = time.perf_counter_ns()
    for command in commands:
        answers.append(card.respond(command))
    elapsed = time.perf_counter_ns() - start
    for answer in answers:
        print(answer.hex().upper())
    print("nanoseconds", elapsed)


if __name__ == "__main__":
    main()
