"""What board/power-cut knows of each sale from outside, against the journal's records and the card."""

import statistics
from typing import NamedTuple

COUNTS_PER_LITRE = 400
EDGES_PER_SECOND = 333  # 50 L/min
PRICE_FEN = 785
PRESET_CENTILITRES, SLOW_CENTILITRES = 300, 10
PRESET_COUNTS = PRESET_CENTILITRES * COUNTS_PER_LITRE // 100
BALANCE_FEN = 10_000_000
# spec/dispenser.md, section 3: a checkpoint at least every half litre, which at this flow comes before the second. When
# the disk takes longer the valves close at half a litre; what flows until they have, on an emulated processor that others
# share, comes on top.
CHECKPOINT_COUNTS = COUNTS_PER_LITRE // 2
CLOSING_SECONDS_MAX = 0.1
LOST_COUNTS_MAX = CHECKPOINT_COUNTS + int(EDGES_PER_SECOND * CLOSING_SECONDS_MAX)
# An edge is told outside before it is given: what flowed may be one count less than what was told.
TOLD_AHEAD_COUNTS = 1


class Violation(Exception):
    pass


class Cut(NamedTuple):
    """One power-up, as it was seen from outside."""

    edges: int
    edges_at_last_flush: int
    sectors_unflushed: int
    sectors_lost: int
    was_paid: bool


class Loss(NamedTuple):
    """What a cut cost; in counts, but for the money."""

    flowed: int
    recorded: int
    fen: int
    # From the last checkpoint's reading to the disk's last flush; None when the cut fell into a write.
    while_writing: int | None
    outcome: str

    @property
    def lost(self):
        return self.flowed - self.recorded

    @property
    def in_flow(self):
        return 0 < self.flowed < PRESET_COUNTS


def require(condition, text):
    if not condition:
        raise Violation(text)


def price_fen(counts):
    """Of the shown volume; both rounded half up."""
    centilitres = (2 * 100 * counts + COUNTS_PER_LITRE) // (2 * COUNTS_PER_LITRE)
    return (2 * centilitres * PRICE_FEN + 100) // 200


def litres(counts):
    return f"{counts / COUNTS_PER_LITRE:.4f}"


class Ledger:
    """All sales so far: every litre that is recorded is paid once, and at most one checkpoint is not recorded."""

    def __init__(self):
        self.last_ttc = 0

    def settle(self, cut, journal, card):
        """What the power-up after `cut` made of its sale."""
        sales = sorted(journal["sales"], key=lambda sale: sale["ttc"])
        # One whose sale was cut before its first record stays without.
        require(len({sale["ttc"] for sale in sales}) == len(sales), "a TTC with two records")
        # The next sale, when the card had nothing to settle: it is locked, and nothing flowed.
        running = [sale for sale in sales if sale["phase"] == "locked"]
        closed = [sale for sale in sales if sale["phase"] in ("settled", "escaped", "void")]
        require(running == sales[len(closed) :] and len(running) <= 1, "a sale was left open")
        new = [sale for sale in closed if sale["ttc"] > self.last_ttc]
        fuelled = [sale for sale in new if "settles" not in sale]
        require(len(fuelled) <= 1, f"{len(fuelled)} records of one sale")
        self.last_ttc = closed[-1]["ttc"] if closed else 0
        states = {grey["ttc"]: grey["state"] for grey in journal["greyRecords"]}
        check_records(closed, states)
        check_money(closed, journal["totalisers"], card)
        grey = card.get("grey")
        require(grey is None or [grey["terminalTransaction"]] == [sale["ttc"] for sale in running], "the card is grey")
        if not fuelled:
            return loss(cut, 0, "no record")
        record = fuelled[0]
        outcome = {"settled": "paid", "escaped": "paid at the next visit"}[record["phase"]]
        if states.get(record["ttc"]) == "void":
            outcome = "never locked"
        return loss(cut, sum(record["counts"]), outcome)


def check_records(closed, states):
    settled_by = {}
    for sale in closed:
        if "settles" in sale:
            require(sale["settles"] not in settled_by, f"sale {sale['settles']} was settled twice")
            settled_by[sale["settles"]] = sale
        require(sale["phase"] != "settled" or sale["mac4IsValid"], f"sale {sale['ttc']}: MAC4 is wrong")
    for sale in closed:
        ttc, counts = sale["ttc"], sum(sale["counts"])
        require(sale["pulserFaults"] == 0, f"sale {ttc}: pulser faults")
        if "settles" not in sale:
            require(sale["volumeMicrolitres"] * COUNTS_PER_LITRE == counts * 1_000_000, f"sale {ttc}: volume")
            require(sale["amountFen"] == price_fen(counts), f"sale {ttc}: amount")
        if sale["phase"] != "escaped":
            continue
        unlock = settled_by.get(ttc)
        if states[ttc] == "void":
            require(counts == 0 and unlock is None, f"sale {ttc}: void, and not empty")
        else:
            is_settled = states[ttc] == "settled" and unlock is not None and unlock["phase"] == "settled"
            require(is_settled, f"sale {ttc} is not settled")
            require(unlock["amountFen"] == sale["amountFen"], f"sale {ttc}: the unlock took another amount")


def check_money(closed, totalisers, card):
    paid = sum(sale["amountFen"] for sale in closed if sale["phase"] == "settled")
    taken = BALANCE_FEN - card["balanceFen"]
    require(taken == paid, f"the records say {paid} fen in all, and the card has paid {taken}")
    sold = [sale for sale in closed if "settles" not in sale]
    counts = sum(sum(totaliser["counts"]) for totaliser in totalisers)
    require(counts == sum(sum(sale["counts"]) for sale in sold), "the sales are not the totaliser's counts")
    fen = sum(totaliser["fen"] for totaliser in totalisers)
    require(fen == sum(sale["amountFen"] for sale in sold), "the sales are not the totaliser's money")


def loss(cut, recorded, outcome):
    lost = cut.edges - recorded
    require(lost >= 0, f"{recorded} counts are recorded, and {cut.edges} flowed")
    require(
        lost <= LOST_COUNTS_MAX + TOLD_AHEAD_COUNTS,
        f"{litres(lost)} L are lost: {litres(cut.edges)} L flowed, and {litres(recorded)} L are recorded",
    )
    require(not cut.was_paid or lost == 0, f"the sale was paid, and {lost} counts are not in it")
    fen = price_fen(cut.edges) - price_fen(recorded)
    is_known = recorded > 0 and cut.sectors_unflushed == 0
    while_writing = cut.edges_at_last_flush - recorded if is_known else None
    return Loss(cut.edges, recorded, fen, while_writing, outcome)


def summary(values, text):
    """Of at least one value."""
    values = sorted(values)
    ninth = -(-9 * len(values) // 10) - 1
    figures = {"least": values[0], "median": statistics.median_low(values), "90 %": values[ninth], "most": values[-1]}
    return ", ".join(f"{name} {text(value)}" for name, value in figures.items())


def print_distribution(losses):
    for outcome in sorted({loss.outcome for loss in losses}):
        print(f"{sum(loss.outcome == outcome for loss in losses)} sales: {outcome}")
    others = [loss.lost for loss in losses if not loss.in_flow]
    if others:
        print(f"{len(others)} cuts before fuel flowed or after, lost L: {summary(others, litres)}")
    flowing = [loss for loss in losses if loss.in_flow]
    if not flowing:
        return
    lost = [loss.lost for loss in flowing]
    print(f"{len(flowing)} cuts while fuel flowed, lost L: {summary(lost, litres)}; limit {litres(LOST_COUNTS_MAX)}")
    print(f"  in fen: {summary([loss.fen for loss in flowing], str)}")
    print(f"  more than half a litre: {sum(value > CHECKPOINT_COUNTS for value in lost)}")
    step = COUNTS_PER_LITRE // 20
    for low in range(0, max(lost) + 1, step):
        number = sum(low <= value < low + step for value in lost)
        bounds = f"{low / COUNTS_PER_LITRE:.2f} to {(low + step) / COUNTS_PER_LITRE:.2f} L"
        print(f"  {bounds} {number:4} {'#' * number}".rstrip())
    # A cut between two flushes of one write is seen as a long one: the middle tells, and the most does not.
    writing = sorted(loss.while_writing for loss in flowing if loss.while_writing is not None)
    if writing:
        print(f"flowed while a checkpoint was written, L: median {litres(statistics.median_low(writing))}")
