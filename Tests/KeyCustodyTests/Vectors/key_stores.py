"""Makes key-stores.txt anew from its line "former": `python3 key_stores.py`, with the package cryptography. No code of this project
takes part. "former" is a file that greylock keys new wrote when a store had one version."""

import hashlib
import hmac
import struct
from pathlib import Path

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC

VECTORS = Path(__file__).with_name("key-stores.txt")
PASSPHRASE = b"correct horse battery"
TERMINAL = bytes.fromhex("310000000017")
MADE, THEN = "20261126080000", 1_795_680_000
LINES = ["# Files of key stores, and what is in them; key_stores.py made them. Passphrase: correct horse battery."]


def scrypt(salt):
    return hashlib.scrypt(PASSPHRASE, salt=salt, n=1 << 15, r=8, p=1, maxmem=1 << 27, dklen=32)


def bytes_of(name, count):
    return hashlib.shake_256(name.encode()).digest(count)


def zeros_under(key):
    return Cipher(TripleDES(key + key[:8]), modes.ECB()).encryptor().update(bytes(8))


def des_check(key):
    return zeros_under(key)[:3].hex().upper()


def aes_check(key):
    cmac = CMAC(AES(key))
    cmac.update(bytes(16))
    return cmac.finalize()[:5].hex().upper()


def odd_parity(key):
    return bytes(byte & 0xFE | 1 - (byte >> 1).bit_count() % 2 for byte in key)


def extract(salt, secret):
    return hmac.digest(salt, secret, "sha256")


def line(name, *fields):
    LINES.append(" ".join([name, *(field.hex().upper() if isinstance(field, bytes) else field for field in fields)]))


def entry(usage, index, version, cipher, origin, times, key, length=None):
    head = bytes([usage, index, version, cipher, origin]) + bytes.fromhex(MADE) + struct.pack(">qqq", *times)
    return head + bytes([len(key) if length is None else length]) + key.ljust(32, b"\0")


def sealed(head, key, content):
    nonce = bytes_of("nonce", 12)
    return head + nonce + AESGCM(key).encrypt(nonce, content, head)


def issuers(name, file, sets, books):
    line(name, file)
    for masters in sets:
        line(f"{name}.checks", *(des_check(masters[start : start + 16]) for start in range(0, 176, 16)))
        line(f"{name}.mpk", odd_parity(masters[:16]))
        line(f"{name}.record", odd_parity(extract(b"GL-RECORD" + TERMINAL, masters)[:16]))
    line(f"{name}.book", hmac.digest(books, b"greylock", "sha256")[:16])


def former():
    texts = [text.split()[1] for text in VECTORS.read_text().splitlines() if text.startswith("former ")]
    file = bytes.fromhex(texts[0])
    masters = AESGCM(scrypt(file[8:24])).decrypt(file[26:38], file[38:], file[:26])
    issuers("former", file, [masters], extract(b"GL-BOOKS", masters))


def issuer():
    sets, books, salt = [bytes_of("one", 176), bytes_of("two", 176)], bytes_of("books", 32), bytes_of("salt", 16)
    times = (THEN, THEN, 0)
    keys = [
        entry(3 + master, 5, version, 1, 3, times, masters[16 * master : 16 * master + 16])
        for version, masters in enumerate(sets, 1)
        for master in range(11)
    ]
    keys.append(entry(14, 5, 1, 2, 3, times, books))
    head = b"GLKS\x04\x0f\x08\x01" + salt + struct.pack(">II", THEN, 2)
    issuers("issuer", sealed(head, scrypt(salt), bytes([len(keys)]) + b"".join(keys) + bytes(42)), sets, books)


def terminal():
    storage, transport = bytes_of("storage", 32), bytes_of("transport", 32)
    record, master, gone = (odd_parity(bytes_of(name, 16)) for name in ("record", "mpk", "token"))
    keys = [
        entry(1, 0, 1, 2, 1, (THEN, THEN, 0), transport),
        entry(2, 5, 1, 1, 2, (THEN, THEN, 0), record),
        entry(3, 5, 1, 1, 2, (THEN, 0, 0), master),
        entry(3, 5, 2, 1, 2, (THEN, THEN, THEN + 5), zeros_under(gone), length=0),
    ]
    erased = bytes([3, 5, 0]) + bytes.fromhex(MADE) + struct.pack(">q", THEN + 1)
    log = bytes_of("hash", 32)
    content = bytes([len(keys)]) + b"".join(keys) + b"\0\1" + erased + struct.pack(">Q", 7) + log
    head = b"GLKS\x03" + TERMINAL + struct.pack(">II", THEN, 9)
    line("terminal", sealed(head, storage, content))
    line("terminal.key", storage)
    line("terminal.checks", aes_check(transport), des_check(record), des_check(master), des_check(gone))
    line("terminal.log", log)
    unload = bytes([1]) + entry(7, 5, 1, 1, 2, (THEN, THEN, 0), master) + bytes(42)
    line("foreign", sealed(head, storage, unload))


former()
issuer()
terminal()
VECTORS.write_text("\n".join(LINES) + "\n")
