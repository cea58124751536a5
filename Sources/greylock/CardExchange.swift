import Console
import FuelPassbook
import ISO7816
import Threads

/// A command in bytes and what it is called, if it is one of the passbook's.
struct RawCommand {
    let bytes: [UInt8]

    /// nil for a command that the passbook does not know.
    private var trace: Trace? {
        guard bytes.count >= 4 else { return nil }
        do throws(StatusWord) {
            return Trace(try Instruction(CommandHeader(bytes[0], bytes[1], bytes[2], bytes[3])))
        } catch {
            return nil
        }
    }

    var name: String { trace?.instruction.name ?? "a command that is none of the passbook's" }

    /// Whether a PIN, or what takes its place on other cards, may stand in the data: VERIFY, CHANGE REFERENCE DATA and
    /// RESET RETRY COUNTER (ISO/IEC 7816-4, 11.5) of any class, and the passbook's own. In PIN UNBLOCK it is enciphered.
    var mayCarryPIN: Bool {
        guard bytes.count > 5 else { return false }
        guard trace?.instruction != .unblockPIN else { return false }
        switch bytes[1] {
        case 0x20, 0x21, 0x24, 0x25, 0x2C, 0x2D, 0x5E: return true
        case _: return false
        }
    }

    var lines: [String] {
        precondition(!mayCarryPIN)
        var lines = ["> \(Hex.string(bytes))", "    \(name)"]
        do throws(ParseError) {
            let command = try CommandAPDU(parsing: bytes.span)
            lines += (trace?.fields(of: command) ?? []).map { "    \($0)" }
        } catch {
            lines.append("    \(error)")
        }
        return lines
    }

    func lines(of answer: ResponseAPDU) -> [String] {
        let data = answer.data.isEmpty ? "" : "\(Hex.string(answer.data)) "
        let words = answer.status.words.map { " (\($0))" } ?? ""
        return ["< \(data)\(answer.status)\(words)"] + (trace?.fields(of: answer.data) ?? []).map { "    \($0)" }
    }

    static let verifyLines = ["> VERIFY", "    PIN not shown"]
}

extension CardReader {
    /// - Parameter show: takes each line of command and answer.
    func exchange(_ command: RawCommand, show: (String) -> Void) throws(ServiceFailure) -> ResponseAPDU {
        for line in command.lines { show(line) }
        let answer = try exchange(command.bytes)
        for line in command.lines(of: answer) { show(line) }
        return answer
    }

    func verify(_ pin: borrowing PIN, show: (String) -> Void) throws(ServiceFailure) -> ResponseAPDU {
        for line in RawCommand.verifyLines { show(line) }
        let answer = try verify(pin)
        for line in RawCommand(bytes: []).lines(of: answer) { show(line) }
        return answer
    }
}
