import Dispenser
private import FuelPassbook
package import ISO7816

/// A reader that tells each exchange in words. A PIN is not among them.
package final class TracingReader: CardReader {
    private let reader: any CardReader
    private let print: (String) -> Void

    package init(_ reader: any CardReader, print: @escaping (String) -> Void) {
        self.reader = reader
        self.print = print
    }

    package func connect() throws(CardFault) {
        try reader.connect()
        print("-- card powered up")
    }

    package func transmit(_ command: Span<UInt8>) throws(CardFault) -> ResponseAPDU {
        let trace = describe(command)
        do throws(CardFault) {
            let answer = try reader.transmit(command)
            let fields = trace.map { $0.fields(of: answer.data) } ?? []
            print("<- \(answer.status)" + list(fields))
            return answer
        } catch {
            print("<- nothing: \(error)")
            throw error
        }
    }

    package func disconnect() {
        reader.disconnect()
    }

    private func describe(_ command: Span<UInt8>) -> Trace? {
        do {
            let layout = try CommandLayout(parsing: command)
            let trace = Trace(try Instruction(layout.header))
            // A body with a PIN in clear is not copied.
            let fields = try trace.secretFields ?? trace.fields(of: CommandAPDU(parsing: command))
            print("-> \(trace.instruction.name)" + list(fields))
            return trace
        } catch {
            print("-> \(command.count) bytes that are no command of this passbook")
            return nil
        }
    }

    private func list(_ fields: [String]) -> String {
        fields.isEmpty ? "" : ": " + fields.joined(separator: ", ")
    }
}
