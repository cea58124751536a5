import Codes
import SQLite
import Testing

@testable import StationInterface

/// What a line may be, and what is said of any other.
struct RequestReaderTests {
    private let reader: RequestReader

    init() throws { reader = try RequestReader() }

    private func refusal(_ line: String, at socket: SocketKind = .control) -> RequestRefusal.Code? {
        refusal(Array(line.utf8), at: socket)
    }

    private func refusal(_ line: [UInt8], at socket: SocketKind = .control) -> RequestRefusal.Code? {
        do throws(RequestReader.Fault) { _ = try reader.read(line, at: socket) } catch { return error.refusal.code }
        return nil
    }

    @Test func aRequestIsReadWhole() throws {
        let status = try reader.read(Array(#"{"id":7,"command":"status"}"#.utf8), at: .read)
        #expect(status == Request(id: .integer(7), command: .status))
        let file = try reader.read(
            Array(#"{"id":1,"command":"take-greys","key":"k","file":"a\nb\n"}"#.utf8),
            at: .control
        )
        #expect(file.command == .errand(.order(.takeGreys(file: "a\nb\n"), key: "k")))
        #expect(refusal(#"{"id":1,"command":"take-greys","key":"k","file":"a\tb"}"#) == .memberWrong)
        #expect(refusal(#"{"id":1,"command":"level","key":"k","level":"debug"}"#) == .memberWrong)
        #expect(refusal(#"{"id":1,"command":"greys","limit":101}"#) == .memberWrong)
        #expect(refusal(#"{"id":1,"command":"greys"}"#, at: .read) == .readOnly)
        let drain = try reader.read(Array(#" { "key" : "k-1", "command":"dra\u0069n","id":"a" } "#.utf8), at: .control)
        #expect(drain == Request(id: .text("a"), command: .errand(.order(.drain, key: "k-1"))))
    }

    @Test(arguments: [
        "", " ", "null", "[]", "7", "\"status\"", "{", "{}{}", "{'id':1}", "{id:1}", "{\"id\":1,}", "{\"id\":01}",
        "{\"id\":+1}",
        "{\"id\":NaN}", "{\"id\":1,\"a\":\"\u{1}\"}", "// a\n{}", "{\"id\":\"\\u0000\"}", "{\"id\":1}\u{0}",
        "\u{FEFF}{\"id\":1}",
        "{\"id\":\"\\x41\"}",
    ])
    func whatIsNoObjectIsRefused(_ line: String) {
        #expect(refusal(line) == .notAnObject)
    }

    @Test func bytesThatAreNoTextAreRefused() {
        #expect(refusal(Array("{\"id\":\"".utf8) + [0xFF] + Array("\"}".utf8)) == .notAnObject)
        #expect(refusal(Array("{\"id\":\"".utf8) + [0xC0, 0x80] + Array("\"}".utf8)) == .notAnObject)
    }

    @Test func nestingWithoutEndIsRefused() {
        let line = String(repeating: "[", count: 30_000) + String(repeating: "]", count: 30_000)
        #expect(refusal(line) == .notAnObject)
        #expect(refusal("{\"id\":1,\"a\":\(line)}") == .notAnObject)
    }

    @Test(arguments: [
        (#"{"id":1,"id":1,"command":"status"}"#, RequestRefusal.Code.memberTwice),
        (#"{"id":1,"\u0069d":2,"command":"status"}"#, .memberTwice),
        (#"{"command":"status"}"#, .memberMissing), (#"{"id":1}"#, .memberMissing),
        (#"{"id":1,"command":"drain"}"#, .memberMissing),
        (#"{"id":1.0,"command":"status"}"#, .memberWrong), (#"{"id":1e0,"command":"status"}"#, .memberWrong),
        (#"{"id":9223372036854775808,"command":"status"}"#, .memberWrong),
        (#"{"id":"","command":"status"}"#, .memberWrong),
        (#"{"id":null,"command":"status"}"#, .memberWrong), (#"{"id":[1],"command":"status"}"#, .memberWrong),
        (#"{"id":true,"command":"status"}"#, .memberWrong), (#"{"id":1,"command":7}"#, .memberWrong),
        (#"{"id":1,"command":"drain","key":7}"#, .memberWrong),
        (#"{"id":1,"command":"drain","key":"a\nb"}"#, .memberWrong),
        (#"{"id":1,"command":"acknowledge","key":"k","numbers":[]}"#, .memberWrong),
        (#"{"id":1,"command":"acknowledge","key":"k","numbers":[1,2.0]}"#, .memberWrong),
        (#"{"id":1,"command":"acknowledge","key":"k","numbers":[0]}"#, .memberWrong),
        (#"{"id":1,"command":"acknowledge","key":"k","numbers":[1,[2]]}"#, .memberWrong),
        (#"{"id":1,"command":"acknowledge","key":"k","numbers":7}"#, .memberWrong),
        (#"{"id":1,"command":"acknowledge","key":"k","numbers":{"a":1}}"#, .memberWrong),
        (#"{"id":1,"command":"records","limit":41}"#, .memberWrong),
        (#"{"id":1,"command":"Status"}"#, .commandUnknown), (#"{"id":1,"command":"reboot"}"#, .commandUnknown),
        (#"{"id":1,"command":"status","key":"k"}"#, .memberUnknown),
        (#"{"id":1,"command":"drain","key":"k","force":true}"#, .memberUnknown),
    ])
    func whatIsNoRequestIsRefusedByItsCode(_ line: String, _ code: RequestRefusal.Code) {
        #expect(refusal(line) == code)
    }

    /// What a line has room for, and no command has, costs next to nothing: the service's clients wait meanwhile.
    @Test(arguments: ["[]", "[0]", "0", "{}"])
    func thousandsOfMembersAreNotLookedAt(_ value: String) throws {
        let members = (0..<60_000 / (value.utf8.count + 10)).map { "\"m\(10_000 + $0)\":\(value)" }
        let line = Array("{\(members.joined(separator: ","))}".utf8)
        #expect(line.count < RequestReader.lineBytesMax && members.count > 4_000)
        #expect(refusal(line) == .memberUnknown)
        let known = try reader.members(
            of: Array("{\(members.prefix(RequestReader.membersMax).joined(separator: ","))}".utf8)
        )
        #expect(known.count == RequestReader.membersMax)
        let numbers = [String](repeating: "1", count: 30_000).joined(separator: ",")
        let long = try reader.members(of: Array("{\"numbers\":[\(numbers)]}".utf8))
        #expect(long.first?.integers.count == Order.numbersMax + 1)
        #expect(
            refusal("{\"id\":1,\"command\":\"acknowledge\",\"key\":\"k\",\"numbers\":[\(numbers)]}") == .memberWrong
        )
    }

    @Test func anIdOfTooManyCharactersIsRefused() {
        let long = String(repeating: "x", count: RequestID.charactersMax)
        #expect(refusal("{\"id\":\"\(long)\",\"command\":\"status\"}") == nil)
        #expect(refusal("{\"id\":\"\(long)x\",\"command\":\"status\"}") == .memberWrong)
    }

    @Test func anOrderIsNotTakenAtTheReadSocket() {
        #expect(refusal(#"{"id":1,"command":"drain","key":"k"}"#, at: .read) == .readOnly)
    }

    @Test func recordsAreNumbersInAList() throws {
        let line = Array(#"{"id":1,"command":"acknowledge","numbers":[3, 1,4294967295],"key":"k"}"#.utf8)
        let order = Order.acknowledge([3, 1, 4_294_967_295])
        #expect(try reader.read(line, at: .control).command == .errand(.order(order, key: "k")))
        let records = Array(#"{"id":1,"command":"records","after":7}"#.utf8)
        #expect(try reader.read(records, at: .control).command == .errand(.records(after: 7, limit: 40)))
        #expect(refusal(#"{"id":1,"command":"records"}"#, at: .read) == .readOnly)
    }

    @Test func aRefusalBearsTheIdWhereItCanBeRead() {
        let line = Array(#"{"id":"mine","command":"reboot"}"#.utf8)
        do throws(RequestReader.Fault) { _ = try reader.read(line, at: .control) } catch {
            #expect(error.id == .text("mine"))
        }
    }

    @Test func everyPrefixOfARequestIsRefused() {
        let line = Array(#"{"id":1,"command":"drain","key":"k"}"#.utf8)
        for count in 0..<line.count { #expect(refusal(Array(line.prefix(count))) == .notAnObject, "\(count)") }
    }

    /// What is written is read as it was.
    @Test(arguments: ["", "plain", "\"\\/\u{8}\u{C}\n\r\t", "\u{1F}\u{7F}\u{2028}", "油枪 é e\u{301} 🚗"])
    func whatIsWrittenIsReadAsItWas(_ text: String) throws {
        let line = JSON.object([JSON.Member("id", .integer(1)), JSON.Member("command", .text("x" + text))]).bytes
        #expect(!line.contains(UInt8(ascii: "\n")))
        let members = try reader.members(of: line)
        #expect(members.map(\.name) == ["id", "command"])
        #expect(members[1].value.text.map { Array($0.utf8) } == Array(("x" + text).utf8))
    }

    @Test func noBytesEndTheReader() {
        var generator = SystemRandomNumberGenerator()
        let alphabet = Array(#"{}[]":,\u0019aeE+-.truefalsnilid cmk"#.utf8) + [0, 0xFF, 0xC3, 0x80]
        for _ in 0..<20_000 {
            let line = (0..<Int.random(in: 0..<40, using: &generator)).map { _ in
                alphabet.randomElement(using: &generator) ?? 0
            }
            let code = refusal(line)
            #expect(code != nil, "\(line)")
        }
    }
}
