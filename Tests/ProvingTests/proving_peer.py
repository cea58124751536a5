"""What a report says, worked out again without any of the program's code: the standard library alone.

proving_peer.py results < REPORT.json     each point's figures, as JSON
proving_peer.py schema SCHEMA < REPORT    what of the report the schema does not allow, a line each
proving_peer.py coverage TRIALS           the shares that the stated uncertainty covers, by scatter and prover, as JSON
"""

import json
import math
import random
import re
import sys
from decimal import Decimal, getcontext
from fractions import Fraction

getcontext().prec = 40


def student_density(x, degrees):
    log = math.lgamma((degrees + 1) / 2) - math.lgamma(degrees / 2) - math.log(degrees * math.pi) / 2
    return math.exp(log - (degrees + 1) / 2 * math.log1p(x * x / degrees))


def student_within(t, degrees, steps=4000):
    """Simpson's rule."""
    width = t / steps
    inner = sum((4 if i % 2 else 2) * student_density(i * width, degrees) for i in range(1, steps))
    return 2 * width / 3 * (student_density(0, degrees) + inner + student_density(t, degrees))


def student_factor(degrees, coverage=0.95):
    low, high = 0.5, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if student_within(middle, degrees) < coverage else (low, middle)
    return low


def half_away(value, unit):
    whole = abs(value) / unit
    return (1 if value >= 0 else -1) * int(whole + Fraction(1, 2)) * unit


def fraction(number):
    return Fraction(number)


def results(report):
    report = json.loads(report, parse_float=Decimal)
    micro = Fraction(1, 10**6)
    old = report["oldSet"]
    per_litre = old["pulsesPerLitre"] * old["countsPerPulse"]
    factors = [fraction(point["factor"]) for point in old["points"]]
    beta_y = fraction(report["conditions"]["expansionPerKelvin"])
    points = []
    for index, point in enumerate(report["points"], 1):
        vessel = report["provers"][point["prover"] - 1]
        beta_b = fraction(vessel["expansionPerKelvin"])
        errors, references, apart, counts, shared = [], [], [], [], []
        for run in report["runs"]:
            if run["point"] != index or not run["counts"]:
                continue
            t_j, t_b = fraction(run["meterTemperature"]), fraction(run["proverTemperature"])
            scale = fraction(run["reading"]) + fraction(vessel["correction"])
            reference = half_away(scale * (1 + beta_b * (t_b - 20) + beta_y * (t_j - t_b)), micro)
            if report["purpose"] == "verify":
                indicated = fraction(run["displayed"])
            else:
                indicated = half_away(sum(Fraction(c) / (per_litre * f) for c, f in zip(run["countsAtPoints"], factors)), micro)
            errors.append(float((indicated - reference) / reference))
            references.append(reference)
            apart.append(t_j - t_b)
            counts.append(sum(run["countsAtPoints"]))
            shared.append([Fraction(c) / (per_litre * reference) for c in run["countsAtRates"]])
        points.append({"point": point, "vessel": vessel, "errors": errors, "references": references, "apart": apart, "counts": counts, "shared": shared})
    pool = [each for each in points if each["point"]["role"] != "least-quantity"]
    pooled = sum(squares(each["errors"]) for each in pool), sum(len(each["errors"]) - 1 for each in pool)
    found = [figures(report, each, pooled, float(beta_y)) for each in points]
    rising = sorted(pool, key=lambda each: each["point"]["litresPerMinute"])
    rows = [[sum(column) / len(each["shared"]) for column in zip(*each["shared"])] + [Fraction(1)] for each in rising]
    for each, inverse in zip(rising, solved(rows)):
        found[points.index(each)]["factor"] = float(1 / inverse)
    return found


def solved(rows):
    """The unknowns of linear equations, their right sides last: exact, by elimination."""
    for index in range(len(rows)):
        pivot = next(place for place in range(index, len(rows)) if rows[place][index])
        rows[index], rows[pivot] = rows[pivot], rows[index]
        rows[index] = [value / rows[index][index] for value in rows[index]]
        for place in range(len(rows)):
            if place != index:
                rows[place] = [a - rows[place][index] * b for a, b in zip(rows[place], rows[index])]
    return [row[-1] for row in rows]


def squares(errors):
    mean = sum(errors) / len(errors)
    return sum((error - mean) ** 2 for error in errors)


def figures(report, each, pooled, beta_y):
    errors, vessel, conditions = each["errors"], each["vessel"], report["conditions"]
    n = len(errors)
    if each["point"]["role"] == "least-quantity":
        pooled = squares(errors), n - 1
    volume = float(sum(each["references"]) / n)
    rectangular = 1 / math.sqrt(3)
    accuracy = vessel["accuracy"]
    if "k" in accuracy:
        prover = float(accuracy["expanded"]) / float(accuracy["k"]) / float(vessel["nominal"])
    else:
        prover = float(accuracy["limitPercent"]) / 100 * rectangular
    beta_b = float(vessel["expansionPerKelvin"])
    thermometer = float(conditions["thermometerLimit"]) * rectangular
    display = 0.005 * rectangular / volume if report["purpose"] == "verify" else 0
    scatter = math.sqrt(pooled[0] / pooled[1] / n)
    ends = 1 / (sum(each["counts"]) / n) / math.sqrt(6) / math.sqrt(n)
    t = student_factor(pooled[1])
    normal = 1.959963984540054
    others = [
        prover,
        beta_y * thermometer,
        abs(beta_b - beta_y) * thermometer,
        abs(float(sum(each["apart"]) / n)) * beta_y * float(conditions["expansionLimitPercent"]) / 100 * rectangular,
        float(vessel["scaleDivision"]) / 2 / volume * rectangular,
        ends,
        display,
    ]
    rest = sum(other**2 for other in others)
    entering = scatter
    if scatter >= ends:
        rest -= ends**2
    else:
        entering = 0
    standard = math.sqrt(entering**2 + rest)
    expanded = math.sqrt((t * entering) ** 2 + normal**2 * rest)
    return {
        "mean": sum(errors) / n, "spread": max(errors) - min(errors), "lines": [scatter] + others, "standard": standard,
        "expanded": expanded, "k": expanded / standard, "t": t, "degrees": pooled[1], "factor": 0,
    }


def wrong(value, schema, root, place="$"):
    """What of JSON Schema the report's schema uses."""
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rsplit("/", 1)[1]]
    known = {"type", "enum", "const", "oneOf", "properties", "required", "additionalProperties", "items", "minItems", "minimum",
             "minLength", "maxLength", "pattern", "$schema", "title", "description", "$defs"}
    for word in set(schema) - known:
        yield f"{place}: this validator does not know {word}"
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    names = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None), "integer": int, "number": (int, float)}
    fits = [isinstance(value, names[kind]) and (kind == "boolean" or not isinstance(value, bool)) for kind in kinds]
    if kinds and not any(fits):
        yield f"{place}: is no {' or '.join(kinds)}"
        return
    if "enum" in schema and value not in schema["enum"] or "const" in schema and value != schema["const"]:
        yield f"{place}: {value!r} is not allowed"
    if "oneOf" in schema:
        if sum(not list(wrong(value, each, root, place)) for each in schema["oneOf"]) != 1:
            yield f"{place}: fits not one of oneOf"
    if isinstance(value, str):
        if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", 10**9):
            yield f"{place}: length"
        if "pattern" in schema and not re.search(schema["pattern"], value):
            yield f"{place}: {value!r} is not of the pattern"
    if isinstance(value, (int, float)) and value < schema.get("minimum", -math.inf):
        yield f"{place}: {value} is too small"
    if isinstance(value, list):
        if len(value) < schema.get("minItems", 0):
            yield f"{place}: too few"
        for index, item in enumerate(value):
            yield from wrong(item, schema.get("items", {}), root, f"{place}[{index}]")
    if isinstance(value, dict):
        for name in schema.get("required", []):
            if name not in value:
                yield f"{place}: {name} is missing"
        for name, item in value.items():
            if name in schema.get("properties", {}):
                yield from wrong(item, schema["properties"][name], root, f"{place}.{name}")
            elif schema.get("additionalProperties") is False:
                yield f"{place}: {name} is unknown"


def coverage(trials):
    """Of a mean of three runs: with the scatter of two rates pooled, with its own, and with its own and k = 2."""
    chance = random.Random(443)
    shares = []
    factors = {2: student_factor(2), 4: student_factor(4)}
    for scatter, prover in [(10, 300), (100, 200), (200, 100), (400, 60), (600, 10)]:
        hits = {2: 0, 4: 0}
        by_two = 0
        for _ in range(trials):
            off = chance.gauss(0, prover)
            runs, others = ([chance.gauss(off, scatter) for _ in range(3)] for _ in range(2))
            for degrees, sums in [(2, squares(runs)), (4, squares(runs) + squares(others))]:
                expanded = math.sqrt(factors[degrees] ** 2 * sums / degrees / 3 + 1.959964**2 * prover**2)
                hits[degrees] += abs(sum(runs) / 3) <= expanded
            by_two += abs(sum(runs) / 3) <= 2 * math.sqrt(squares(runs) / 6 + prover**2)
        shares.append({"scatter": scatter, "prover": prover, "own": hits[2] / trials, "pooled": hits[4] / trials, "two": by_two / trials})
    return shares


def main():
    if sys.argv[1] == "coverage":
        print(json.dumps(coverage(int(sys.argv[2]))))
    elif sys.argv[1] == "results":
        print(json.dumps(results(sys.stdin.buffer.read().decode())))
    else:
        schema = json.loads(sys.argv[2])
        for line in wrong(json.loads(sys.stdin.buffer.read().decode()), schema, schema):
            print(line)


main()
