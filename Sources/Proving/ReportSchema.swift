extension Report {
    /// JSON Schema (2020-12) of ``json(under:)``.
    package static let schema = head + members + definitions

    private static let head = """
        {
          "$schema": "https://json-schema.org/draft/2020-12/schema",
          "title": "greylock calibration report",
          "description": "Errors and uncertainties in percent, volumes in litres, flows in litres per minute, temperatures in degrees Celsius, times by the station's clock. The code covers every byte of the file but its own 32 digits.",
          "type": "object",
          "additionalProperties": false,
          "required": ["format", "version", "state", "purpose", "begun", "made", "station", "board", "side", "meterSerial", "pulserSerial", "technician", "secondPerson", "software", "passed", "limits", "provers", "conditions", "points", "runs", "spoilt", "proposal", "oldSet", "newSet", "applied", "abandoned", "overrides", "recordKey", "code"],

        """

    private static let members = """
          "properties": {
            "format": {"const": "greylock-calibration-report"},
            "version": {"const": 1},
            "state": {"enum": ["running", "judged", "proposed", "confirmed", "applied", "abandoned"]},
            "purpose": {"enum": ["calibrate", "verify"]},
            "begun": {"$ref": "#/$defs/time"},
            "made": {"$ref": "#/$defs/time"},
            "station": {"$ref": "#/$defs/text"},
            "board": {"$ref": "#/$defs/text"},
            "side": {"type": "integer"},
            "meterSerial": {"$ref": "#/$defs/text"},
            "pulserSerial": {"$ref": "#/$defs/text"},
            "technician": {"$ref": "#/$defs/text"},
            "secondPerson": {"type": ["string", "null"]},
            "software": {"type": "object", "additionalProperties": false, "required": ["measured", "wrote"], "properties": {
              "measured": {"$ref": "#/$defs/software"}, "wrote": {"$ref": "#/$defs/software"}}},
            "passed": {"type": ["boolean", "null"]},
            "limits": {"type": "object", "additionalProperties": false,
              "required": ["errorPercent", "errorAtLeastQuantityPercent", "repeatabilityPercent", "flowTolerancePercent", "runsMin", "leastQuantity"],
              "properties": {"errorPercent": {"type": "number"}, "errorAtLeastQuantityPercent": {"type": "number"}, "repeatabilityPercent": {"type": "number"}, "flowTolerancePercent": {"type": "number"}, "runsMin": {"type": "integer", "minimum": 3}, "leastQuantity": {"type": "number"}}},
            "provers": {"type": "array", "minItems": 1, "items": {"type": "object", "additionalProperties": false,
              "required": ["serial", "nominal", "correction", "accuracy", "certificate", "expires", "expansionPerKelvin", "wettingSeconds", "dripSeconds", "scaleDivision"],
              "properties": {"serial": {"$ref": "#/$defs/text"}, "nominal": {"type": "number"}, "correction": {"type": "number"},
                "accuracy": {"type": "object", "additionalProperties": false, "properties": {"expanded": {"type": "number"}, "k": {"type": "number"}, "limitPercent": {"type": "number"}}},
                "certificate": {"$ref": "#/$defs/text"}, "expires": {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}, "expansionPerKelvin": {"type": "number"}, "wettingSeconds": {"type": "integer"}, "dripSeconds": {"type": "integer"}, "scaleDivision": {"type": "number"}}}},
            "conditions": {"type": "object", "additionalProperties": false,
              "required": ["airTemperature", "liquid", "expansionPerKelvin", "expansionLimitPercent", "thermometerLimit"],
              "properties": {"airTemperature": {"type": "number"}, "liquid": {"$ref": "#/$defs/text"}, "expansionPerKelvin": {"type": "number"}, "expansionLimitPercent": {"type": "number"}, "thermometerLimit": {"type": "number"}}},
            "points": {"type": "array", "minItems": 3, "items": {"type": "object", "additionalProperties": false,
              "required": ["role", "litresPerMinute", "prover", "errorLimitPercent", "result"],
              "properties": {"role": {"enum": ["largest-flow", "lower-flow", "further", "least-quantity"]}, "litresPerMinute": {"type": "integer"}, "prover": {"type": "integer", "minimum": 1}, "errorLimitPercent": {"type": "number"},
                "result": {"oneOf": [{"type": "null"}, {"$ref": "#/$defs/result"}]}}}},
            "runs": {"type": "array", "items": {"$ref": "#/$defs/run"}},
            "spoilt": {"type": "array", "items": {"type": "object", "additionalProperties": false,
              "required": ["point", "delivery", "begun", "record", "cause", "words"],
              "properties": {"point": {"type": ["integer", "null"], "minimum": 1}, "delivery": {"enum": ["preset", "free", null]}, "begun": {"$ref": "#/$defs/time"}, "record": {"type": "integer"}, "cause": {"enum": ["interrupted", "unread", "not-whole", "elsewhere"]}, "words": {"type": "string"}}}},
            "proposal": {"type": ["array", "null"], "items": {"type": "object", "additionalProperties": false,
              "required": ["litresPerMinute", "factorBefore", "factorAfter", "errorBeforePercent", "errorAfterPercent"],
              "properties": {"litresPerMinute": {"type": "integer"}, "factorBefore": {"type": "number"}, "factorAfter": {"type": "number"}, "errorBeforePercent": {"type": "number"}, "errorAfterPercent": {"type": "number"}}}},
            "oldSet": {"$ref": "#/$defs/set"},
            "newSet": {"oneOf": [{"type": "null"}, {"$ref": "#/$defs/set"}]},
            "applied": {"type": ["string", "null"]},
            "abandoned": {"oneOf": [{"type": "null"}, {"type": "object", "additionalProperties": false, "required": ["time", "person", "reason"],
              "properties": {"time": {"$ref": "#/$defs/time"}, "person": {"$ref": "#/$defs/text"}, "reason": {"$ref": "#/$defs/text"}}}]},
            "overrides": {"type": "array", "items": {"type": "object", "additionalProperties": false,
              "required": ["rule", "run", "found", "reason", "person"],
              "properties": {"rule": {"enum": ["certificate-expired", "liquid-too-warm", "temperatures-apart", "uncertainty-too-large", "factor-far-off", "pulses-out-of-range", "point-not-run"]}, "run": {"type": ["integer", "null"]}, "found": {"type": "string"}, "reason": {"$ref": "#/$defs/text"}, "person": {"$ref": "#/$defs/text"}}}},
            "recordKey": {"$ref": "#/$defs/text"},
            "code": {"type": "string", "pattern": "^[0-9A-F]{32}$"}
          },

        """

    private static let definitions = """
          "$defs": {
            "text": {"type": "string", "minLength": 1, "maxLength": 200},
            "time": {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}$"},
            "software": {"type": "object", "additionalProperties": false, "required": ["version", "sha256"],
              "properties": {"version": {"$ref": "#/$defs/text"}, "sha256": {"$ref": "#/$defs/text"}}},
            "result": {"type": "object", "additionalProperties": false,
              "required": ["errorsPercent", "meanPercent", "spreadPercent", "withinError", "repeatable", "closeToLimit", "uncertainty"],
              "properties": {"errorsPercent": {"type": "array", "minItems": 3, "items": {"type": "number"}}, "meanPercent": {"type": "number"}, "spreadPercent": {"type": "number", "minimum": 0}, "withinError": {"type": "boolean"}, "repeatable": {"type": ["boolean", "null"]}, "closeToLimit": {"type": "boolean"},
                "uncertainty": {"type": "object", "additionalProperties": false,
                  "required": ["lines", "standardPercent", "scatterDegrees", "scatterFactor", "effectiveDegrees", "k", "expandedPercent", "coveragePercent"],
                  "properties": {
                    "lines": {"type": "array", "items": {"type": "object", "additionalProperties": false, "required": ["source", "standardPercent", "degrees", "enters"],
                      "properties": {"source": {"enum": ["scatter", "prover", "thermometer-at-meter", "thermometer-at-prover", "expansion", "reading", "count", "display"]}, "standardPercent": {"type": "number", "minimum": 0}, "degrees": {"type": ["integer", "null"]}, "enters": {"type": "boolean"}}}},
                    "standardPercent": {"type": "number"}, "scatterDegrees": {"type": "integer"}, "scatterFactor": {"type": "number"}, "effectiveDegrees": {"type": ["number", "null"]}, "k": {"type": "number"}, "expandedPercent": {"type": "number"}, "coveragePercent": {"const": 95}}}}},
            "run": {"type": "object", "additionalProperties": false,
              "required": ["number", "point", "counts", "flaws", "begun", "record", "delivery", "countsAtPoints", "countsAtRates", "seconds", "ratedCounts", "ratedSeconds", "litresPerMinute", "pulserFaults", "displayed", "indicated", "reading", "refusedReadings", "meterTemperature", "proverTemperature", "reference", "errorPercent"],
              "properties": {"number": {"type": "integer", "minimum": 1}, "point": {"type": "integer", "minimum": 1}, "counts": {"type": "boolean"}, "flaws": {"type": "array", "items": {"type": "object", "additionalProperties": false, "required": ["kind", "words"], "properties": {"kind": {"enum": ["flow", "little-at-rate", "pulser-faults", "mixed", "by-person"]}, "words": {"type": "string"}}}}, "begun": {"$ref": "#/$defs/time"}, "record": {"type": "integer"}, "delivery": {"enum": ["preset", "free"]},
                "countsAtPoints": {"type": "array", "minItems": 1, "items": {"type": "integer", "minimum": 0}}, "countsAtRates": {"type": "array", "minItems": 2, "items": {"type": "integer", "minimum": 0}}, "seconds": {"type": "number"}, "ratedCounts": {"type": "integer"}, "ratedSeconds": {"type": "number"}, "litresPerMinute": {"type": "number"}, "pulserFaults": {"type": "integer"}, "displayed": {"type": "number"}, "indicated": {"type": "number"}, "reading": {"type": "number"}, "refusedReadings": {"type": "array", "items": {"type": "number"}}, "meterTemperature": {"type": "number"}, "proverTemperature": {"type": "number"}, "reference": {"type": "number"}, "errorPercent": {"type": "number"}}},
            "set": {"type": "object", "additionalProperties": false, "required": ["version", "checksum", "pulsesPerLitre", "countsPerPulse", "points"],
              "properties": {"version": {"type": "integer"}, "checksum": {"$ref": "#/$defs/text"}, "pulsesPerLitre": {"type": "integer"}, "countsPerPulse": {"type": "integer"},
                "points": {"type": "array", "minItems": 1, "items": {"type": "object", "additionalProperties": false, "required": ["litresPerMinute", "factor"], "properties": {"litresPerMinute": {"type": "integer"}, "factor": {"type": "number"}}}}}}
          }
        }

        """
}
