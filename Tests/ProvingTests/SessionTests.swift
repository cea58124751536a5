import CardCryptography
import Proving
import Quantities
import Testing

struct SessionTests {
    /// A session in each phase, with overrides, discarded runs and readings typed twice.
    static func phases() throws -> [CalibrationSession] {
        var bench = Bench()
        bench.factor = { $0 > 30 ? 1.0065 : 1.002 }
        bench.scatter = 0.0001
        (bench.meter, bench.prover) = (31.2, 29.4)
        let assignment = try bench.assignment(station: "第七 <b>\"&'</b> %25 code 站")
        let vessels = try [
            Bench.vessel(accuracy: .limit(millionths: 250), expires: 2026),
            Bench.vessel(litres: 5, serial: "JL 5", correction: -1_200),
        ]
        let person = Bench.text("王小明")
        func overrides(_ refusals: [Refusal]) -> [Override] {
            refusals.map { Override($0, reason: Bench.text("无法避免, says <he>"), person: person) }
        }
        let day = try #require(assignment.begun.date)
        let equipped = try assignment.equipped(with: vessels, overrides: overrides(vessels[0].refusals(on: day)))
        var running = equipped.starting(try Bench.conditions())
        var phases: [CalibrationSession] = [.begun(assignment), .equipped(equipped), .running(running)]
        for point in [0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 2] {
            let number = running.runs.count
            let (delivery, reading) = try bench.delivered(
                running,
                at: point,
                kind: number == 2 ? .preset : .free,
                flow: number == 1 ? 41 : nil,
                faults: number == 1 ? 3 : 0,
                minute: 4 * number
            )
            running = try running.adding(
                delivery,
                at: point,
                reading: reading,
                refused: number == 4 ? [Volume(microlitres: 20_400_000), Volume(microlitres: 2_004_000)] : [],
                overrides: overrides(PracticeLimits.refusals(reading))
            )
            phases.append(.running(running))
        }
        for (number, cause) in [
            SpoiltDelivery.Cause.interrupted, .unread, .notWhole(reason: "上电, \"hung up\": 50 %"),
        ].enumerated() {
            let record = UInt64(200 + number)
            running = try running.beginning(
                SpoiltDelivery(point: number, kind: .preset, record: record, begun: Bench.time(50 + number))
            )
            phases.append(.running(running))
            running = try running.spoiling(record, cause)
            phases.append(.running(running))
        }
        running = try running.beginning(SpoiltDelivery(foundInJournal: 203, begun: Bench.time(55)))
        phases.append(.running(running))
        running = try running.discarding(3, reason: Bench.text("滴流时间不足"), person: person)
        phases.append(.running(running))
        let judged = try running.judged()
        let proposed = try judged.proposed(overrides: overrides(judged.proposal().refusals))
        let confirmed = try proposed.confirmed(by: Bench.text("李丽"), at: Bench.time(70))
        let sealed = Bench.set(version: 5, points: proposed.proposal.points)
        phases += [.judged(judged), .proposed(proposed), .confirmed(confirmed)]
        phases.append(.applied(try confirmed.applied(sealed, at: Bench.time(71))))
        return try phases
            + phases.filter { !$0.isOver }.map {
                try $0.abandoned(reason: Bench.text("下雨"), person: person, at: Bench.time(80))
            }
    }

    @Test func eachPhaseIsReadBackWhole() throws {
        let phases = try Self.phases()
        #expect(phases.count > 35)
        for phase in phases {
            let bytes = phase.bytes(under: Bench.key)
            #expect(bytes.count < CalibrationSession.bytesMax)
            #expect(try CalibrationSession(parsing: bytes, under: Bench.key) == phase)
        }
    }

    @Test func whatIsOverStaysSo() throws {
        for phase in try Self.phases() where phase.isOver {
            #expect(throws: ProvingFault.self) {
                try phase.abandoned(reason: Bench.text("x"), person: Bench.text("y"), at: Bench.time(90))
            }
        }
    }

    @Test func aTornSessionIsRefused() throws {
        let bytes = try #require(Self.phases().first { $0.isOver }).bytes(under: Bench.key)
        for length in 0..<bytes.count {
            #expect(throws: ProvingFault.self) {
                try CalibrationSession(parsing: Array(bytes.prefix(length)), under: Bench.key)
            }
        }
    }

    @Test func anEditedSessionIsRefused() throws {
        let bytes = try #require(Self.phases().first { $0.isOver }).bytes(under: Bench.key)
        for index in stride(from: 0, to: bytes.count, by: 3) {
            var edited = bytes
            edited[index] ^= 1
            #expect(throws: ProvingFault.self) { try CalibrationSession(parsing: edited, under: Bench.key) }
        }
        let other = CodeKey(raw: LockedBuffer(hexadecimal: String(repeating: "5B", count: CodeKey.length)))
        #expect(throws: ProvingFault.self) { try CalibrationSession(parsing: bytes, under: other) }
    }

    /// Under the right code: what a program with a defect could have written must not trap the next one.
    @Test func aSessionWithImpossibleFiguresIsRefused() throws {
        let last = try #require(Self.phases().first { $0.isOver })
        let bytes = last.bytes(under: Bench.key)
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").dropLast().map(String.init)
        var (edits, refused) = (0, 0)
        for (index, line) in lines.enumerated() {
            let words = line.split(separator: " ").map(String.init)
            for place in words.indices.dropFirst() {
                for word in ["", "-", "-1", "0", "9223372036854775807", "%", "%FF", "a,b:c", "1:1:1:1"]
                where words[place] != word {
                    var edited = words
                    edited[place] = word
                    var text = lines
                    text[index] = edited.joined(separator: " ")
                    let body = Array((text.joined(separator: "\n") + "\n").utf8)
                    let code = "code " + hexadecimal(Bench.key.code(of: body).bytes) + "\n"
                    edits += 1
                    do {
                        let session = try CalibrationSession(parsing: body + Array(code.utf8), under: Bench.key)
                        #expect(session != last)
                    } catch {
                        refused += 1
                    }
                }
            }
        }
        #expect(edits > 2_000 && refused > edits / 2)
    }

    private func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { String($0 >> 4, radix: 16, uppercase: true) + String($0 & 15, radix: 16, uppercase: true) }.joined()
    }
}
