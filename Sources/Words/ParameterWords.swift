import FuelPassbook
import ISO7816
package import Parameters
import Records

// Why a side may not sell under the parameters that are there: to whoever looks after the board, with what to do, and in a few words
// on the display, which an inspector reads.

extension ParameterRefusal {
    /// To whoever looks after the board.
    package var words: String { English().words(self) }
}

extension SoftwareIdentification {
    var programDigits: String { Hex.string(program) }

    /// As ``ParameterSet/checksum``.
    var checksum: String { String(Hex.string(parameters).prefix(8)) }
}

extension English {
    /// Whoever repairs needs to know what to do.
    func words(_ refusal: ParameterRefusal) -> String {
        let newest = "put the newest book of parameters in its place"
        let anew = "after that was looked into, put new parameters under seal: greylock parameters import"
        return switch refusal {
        case .missing: "no fuel: no parameters of the meter are under seal; put them there: greylock parameters import"
        case .noSet:
            "no fuel: no parameters of this position are under seal; put them there: greylock parameters import"
        case .unreadable(let reason): "no fuel: the parameters under seal cannot be read: \(reason)"
        case .broken(let fault):
            "no fuel: THE SEAL IS BROKEN: the book of parameters was altered, \(fault.words); \(newest)"
        case .wrongCode(let number):
            "no fuel: THE SEAL IS BROKEN: set \(number) of the parameters was not written by this terminal; \(newest)"
        case .otherTerminal(let terminal):
            "no fuel: the parameters under seal are those of terminal \(terminal); \(newest)"
        case .otherBoard(let board):
            "no fuel: the parameters under seal are those of another board, \(board); \(anew)"
        case .otherKey(let key):
            """
            no fuel: the parameters were put under seal with record key \(key.index.number), version \(key.version.number), which \
            this terminal does not have; \(anew)
            """
        case .gone(let known):
            """
            no fuel: THE SEAL IS BROKEN: the parameters under seal are gone, of which version \(known) was in force; \(newest); if it is \
            lost for good, put others under seal: greylock parameters import --after-loss
            """
        case .older(let version, let known):
            """
            no fuel: THE SEAL IS BROKEN: an older book of parameters is there, with version \(version) of this position where \
            version \(known) was in force; \(newest)
            """
        case .replaced(let version):
            "no fuel: THE SEAL IS BROKEN: version \(version) of the parameters is another than was in force; \(newest)"
        case .loweredCounter:
            "no fuel: THE SEAL IS BROKEN: a counter of calibration or configuration is lower than it was; \(newest)"
        case .unknownHistory(let reason):
            "no fuel: which parameters were in force is not known, because the journal's row is not believed: \(reason)"
        case .otherWiring:
            """
            no fuel: the parameters under seal say another number of channels than the settings have lines: set or take out b under \
            pump.gpio
            """
        }
    }

    func short(_ refusal: ParameterRefusal) -> String {
        switch refusal {
        case .missing, .noSet: "no parameters"
        case .unreadable: "parameters unreadable"
        case .broken, .wrongCode: "parameters altered"
        case .otherTerminal: "parameters of another terminal"
        case .otherBoard: "parameters of another board"
        case .otherKey: "parameters under another key"
        case .gone: "parameters gone"
        case .older: "older parameters"
        case .replaced: "parameters replaced"
        case .loweredCounter: "counter lowered"
        case .unknownHistory: "journal damaged"
        case .otherWiring: "channels do not fit"
        }
    }
}

extension Chinese {
    func words(_ refusal: ParameterRefusal) -> String {
        let newest = "请放回最新的参数簿"
        let anew = "查明原因后重新铅封参数：greylock parameters import"
        return switch refusal {
        case .missing: "停止加油：计量参数未铅封；请铅封：greylock parameters import"
        case .noSet: "停止加油：本加油位的计量参数未铅封；请铅封：greylock parameters import"
        case .unreadable(let reason): "停止加油：读不出铅封参数：\(reason)"
        case .broken(let fault): "停止加油：铅封已破坏：参数簿被改动，\(fault.words)；\(newest)"
        case .wrongCode(let number): "停止加油：铅封已破坏：第 \(number) 组参数不是本终端写入的；\(newest)"
        case .otherTerminal(let terminal): "停止加油：铅封参数属于终端 \(terminal)；\(newest)"
        case .otherBoard(let board): "停止加油：铅封参数属于另一块主板 \(board)；\(anew)"
        case .otherKey(let key):
            "停止加油：参数用记录密钥 \(key.index.number)（版本 \(key.version.number)）铅封，本终端没有此密钥；\(anew)"
        case .gone(let known):
            "停止加油：铅封已破坏：铅封参数不见了，曾生效的是第 \(known) 版；\(newest)；确已丢失则重新铅封：greylock parameters import --after-loss"
        case .older(let version, let known):
            "停止加油：铅封已破坏：参数簿是旧的，本加油位为第 \(version) 版，曾生效的是第 \(known) 版；\(newest)"
        case .replaced(let version): "停止加油：铅封已破坏：第 \(version) 版参数不是曾生效的那一组；\(newest)"
        case .loweredCounter: "停止加油：铅封已破坏：标定或配置计数器被调低；\(newest)"
        case .unknownHistory(let reason): "停止加油：账本中的参数记录不可信，不知道曾生效的参数：\(reason)"
        case .otherWiring: "停止加油：铅封参数的通道数与接线不符：请在 pump.gpio 下设置或去掉 b"
        }
    }

    func short(_ refusal: ParameterRefusal) -> String {
        switch refusal {
        case .missing, .noSet: "没有参数"
        case .unreadable: "参数读不出"
        case .broken, .wrongCode: "参数被改动"
        case .otherTerminal: "参数属于别的终端"
        case .otherBoard: "参数属于别的主板"
        case .otherKey: "参数用别的密钥铅封"
        case .gone: "参数不见了"
        case .older: "参数是旧的"
        case .replaced: "参数被替换"
        case .loweredCounter: "计数器被调低"
        case .unknownHistory: "账本损坏"
        case .otherWiring: "通道数不符"
        }
    }
}
