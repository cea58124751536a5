import CardApplication
import FuelPassbook
import Glibc
import ISO7816
import TestPrograms
import Testing
import VirtualCards

/// The card's side of the driver's protocol, against a driver that says what the test wants.
struct VirtualReaderConnectionTests {
    private static let atrWanted: [UInt8] = [0, 1, 4]

    @Test(arguments: CardTransmission.allCases)
    func theATRIsAnsweredAndPowerIsNot(transmission: CardTransmission) throws {
        let exchange = try serve([0, 1, 1] + [0, 1, 2] + Self.atrWanted + [0, 1, 0] + Self.atrWanted, transmission)
        #expect(exchange.fault == nil)
        #expect(exchange.answers == [transmission.atr, transmission.atr])
    }

    @Test func everySplitOfTwoMessagesIsTheSame() throws {
        let messages = message(SelectApplication(aid: Demonstration.aid).apdu.bytes) + message(GetBalance().apdu.bytes)
        for split in 0...messages.count {
            let exchange = try serve(messages, .t1, splitAt: split)
            #expect(exchange.fault == nil)
            #expect(exchange.answers.last == Demonstration.balance.bytes + [0x90, 0x00])
        }
    }

    @Test func aMessageThatIsCutShortIsAFault() throws {
        let whole = message(GetBalance().apdu.bytes)
        for count in 1..<whole.count {
            #expect(try serve(Array(whole.prefix(count)), .t1).fault?.reason == "the virtual reader left in a message")
        }
    }

    @Test(arguments: [[0, 0], [1, 6, 0], [0xFF, 0xFF, 0], [0, 1, 3], [0, 1, 5], [0, 1, 0xFF]] as [[UInt8]])
    func whatIsNoMessageIsAFault(bytes: [UInt8]) throws {
        let exchange = try serve(bytes, .t1)
        #expect(exchange.fault != nil && exchange.answers.isEmpty)
    }

    @Test func overT0AnAnswerIsFetchedAllOrInParts() throws {
        let select = SelectApplication(aid: Demonstration.aid)
        var command = select.apdu
        command.expectedLength = nil
        let issuer = Demonstration.applicationFile.issuer
        let file = SelectApplication.Response(aid: Demonstration.aid, issuerData: issuer).bytes
        let getResponse: [UInt8] = [0x00, 0xC0, 0x00, 0x00]
        let rest = file.count - 5
        let exchange = try serve(
            message(command.bytes) + message(getResponse + [0]) + message(getResponse + [5])
                + message(getResponse + [UInt8(rest)]) + message(getResponse + [1])
                + message([0x00, 0xB0, 0x95, 0, 0]),
            .t0
        )
        let expected: [[UInt8]] = [
            [0x61, UInt8(file.count)], [0x6C, UInt8(file.count)], Array(file.prefix(5)) + [0x61, UInt8(rest)],
            Array(file.dropFirst(5)) + [0x90, 0x00], [0x69, 0x85], [0x6C, UInt8(PublicApplicationFile.length)],
        ]
        #expect(exchange.answers == expected)
    }

    @Test func nobodyListeningSaysWhatToStart() throws {
        let driver = try Driver()
        let port = driver.port
        driver.close()
        let error = #expect(throws: VirtualReaderFault.self) { try VirtualReaderConnection.connect(port: port) }
        #expect(
            error?.reason == "no virtual reader listens on port \(port): start pcscd with vsmartcard-vpcd"
        )
    }

    private func message(_ body: [UInt8]) -> [UInt8] { UInt16(body.count).bytes + body }

    /// Sends `bytes` in two parts and closes; the card then serves what it got.
    private func serve(
        _ bytes: [UInt8],
        _ transmission: CardTransmission,
        splitAt split: Int = 0
    ) throws -> (answers: [[UInt8]], fault: VirtualReaderFault?) {
        let driver = try Driver()
        let connection = try VirtualReaderConnection.connect(port: driver.port)
        let reader = try driver.accept()
        reader.send(Array(bytes.prefix(split)))
        reader.send(Array(bytes.dropFirst(split)))
        reader.finishSending()
        let image = DemonstrationCard.image()
        let card = try VirtualCard(stored: image, memory: VolatileCardMemory(image: image))
        var fault: VirtualReaderFault?
        do throws(VirtualReaderFault) { try connection.serve(card, over: transmission) } catch { fault = error }
        connection.stop()
        return (try reader.messages(), fault)
    }
}

/// Listens on loopback as vpcd does.
private final class Driver {
    let port: UInt16
    private let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    private var isOpen = true

    struct Failure: Error {}

    init() throws {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr = in_addr(s_addr: in_addr_t(0x7F00_0001).bigEndian)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let socket = socket
        let listens = unsafe withUnsafeMutablePointer(to: &address) { address in
            // SAFETY: an address of the IPv4 family is passed as any address, with its own length.
            unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe bind(socket, address, length) == 0 && listen(socket, 1) == 0
                    && getsockname(socket, address, &length) == 0
            }
        }
        port = UInt16(bigEndian: address.sin_port)
        guard listens else { throw Failure() }
    }

    deinit { close() }

    func close() {
        if isOpen { _ = Glibc.close(socket) }
        isOpen = false
    }

    func accept() throws -> Peer {
        guard Patience().awaitInput(of: socket) else { throw OutOfPatience("a card at the reader") }
        let peer = Glibc.accept(socket, nil, nil)
        guard peer >= 0 else { throw Failure() }
        return Peer(socket: peer)
    }

    final class Peer {
        private let socket: Int32

        init(socket: Int32) { self.socket = socket }

        deinit { _ = Glibc.close(socket) }

        func send(_ bytes: [UInt8]) {
            guard !bytes.isEmpty else { return }
            let sent = unsafe Glibc.send(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL))
            precondition(sent == bytes.count, "a few bytes fit the socket's buffer")
        }

        func finishSending() { _ = shutdown(socket, Int32(SHUT_WR)) }

        /// The bodies of all messages until the card closes.
        func messages() throws -> [[UInt8]] {
            var bytes: [UInt8] = []
            var part = [UInt8](repeating: 0, count: 4_096)
            while true {
                guard Patience().awaitInput(of: socket) else { throw OutOfPatience("the end of the card's answers") }
                let count = unsafe recv(socket, &part, part.count, 0)
                guard count > 0 else { break }
                bytes += part.prefix(count)
            }
            var rest = bytes[...]
            var bodies: [[UInt8]] = []
            while rest.count >= 2 {
                let length = rest.prefix(2).reduce(0) { $0 << 8 | Int($1) }
                bodies.append(Array(rest.dropFirst(2).prefix(length)))
                rest = rest.dropFirst(2 + length)
            }
            return bodies
        }
    }
}
