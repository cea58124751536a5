"""The settings of the service and of the card that the virtual boards have."""

# The lines of the simulated chip.
A, B, NOZZLE = 0, 1, 2
OUTPUTS = (4, 5, 6)
COUNTS_PER_LITRE = 400


def service_settings(
    journal: str, first_flow_seconds: int, preset_centilitres: int, price_fen: int = 785, more: str = ""
) -> str:
    """The service's; `more` has further keys of the pump."""
    return f"""
demonstration = true
terminal = {{ id = "001122334455" }}
journal = {{ path = "{journal}" }}
parameters = {{ board = "virtual" }}
timeouts = {{ first_flow = {first_flow_seconds} }}
[side.1]
card = {{ kind = "pcsc", reader = "Virtual PCD" }}
pin = {{ kind = "fixed" }}
[side.1.pump]
kind = "gpio"
nozzle = 1
grade = "92"
price = {price_fen}
preset_centilitres = {preset_centilitres}
{more}
[side.1.pump.gpio]
chip = "pump"
a = {A}
b = {B}
nozzle = {NOZZLE}
motor = {OUTPUTS[0]}
main_valve = {OUTPUTS[1]}
slow_valve = {OUTPUTS[2]}
debounce_milliseconds = 1
"""


def meters(**more: int) -> str:
    """What `greylock parameters import` puts under seal: the meter of side 1; `more` are further keys of it."""
    return f"""
[side.1.pump]
meter_serial = "virtual"
pulser_serial = "virtual"
pulses_per_litre = {COUNTS_PER_LITRE // 4}
channels = 2
security = "alarm"
""" + "".join(f"{key} = {value}\n" for key, value in more.items())


def import_meters(file: str, config: str) -> list[str]:
    """The arguments of `greylock` that put the meters in `file` under seal."""
    people = ["--name", "virtual", "--second", "board", "--reason", "a virtual board"]
    return ["parameters", "import", file, "--config", config, *people]


def card_profile(balance_fen: int) -> str:
    """Of `greylock card new`."""
    return f"""
issuer = "GREYLOCK"
asn = "0001 0000 0000 0000 0043"
valid_from = "2024-01-01"
valid_to = "2049-12-31"
balance_fen = {balance_fen}
pin = "demonstration"
keys = "demonstration"
[holder]
name = "A. Driver"
"""


# A scheme's own, in place of the demonstration's.
SCHEME_AID = "F0 50 45 54 52 4F 4C 02"
SCHEME_TERMINAL = "310000000017"


def armed_settings(journal: str, **more) -> str:
    """The service's with keys of its own, opened by a credential."""
    settings = service_settings(journal, **more)
    for demonstration, own in (
        ("demonstration = true", f'demonstration = false\ncard = {{ aid = "{SCHEME_AID}" }}'),
        ("001122334455", SCHEME_TERMINAL),
        ('parameters = { board = "virtual" }\n', ""),
        ('pin = { kind = "fixed" }', 'pin = { kind = "terminal" }'),
    ):
        assert demonstration in settings
        settings = settings.replace(demonstration, own)
    return settings + '[keys]\nstore = "/var/lib/greylock/keys"\ncredential = "greylock-storage-key"\n'
