import Dispenser
import FuelPassbook
import ISO7816
import Metering
import Quantities
import Records
import SecurityModule

/// Simplified Chinese, in the terms of PBOC cards and of the forecourt: 灰锁 a grey lock, 解扣 an unlock, 补扣 an earlier sale paid
/// now. What other programs and the disk say is quoted as it is.
struct Chinese: Vocabulary {
    // MARK: - To whoever looks after the board

    func words(_ state: SideState) -> String {
        switch state {
        case .inoperative: "停用"
        case .closed: "关闭"
        case .idle: "空闲"
        case .calling: "呼叫"
        case .authorised: "已授权"
        case .started: "已启动"
        case .suspended: "暂停"
        case .fuelling: "加油中"
        case .settling: "扣款中"
        case .completed: "已完成"
        }
    }

    func words(_ notice: Notice) -> String {
        switch notice {
        case .insertCard: "请插卡"
        case .readingCard: "正在读卡"
        case .typePIN: "请输入密码"
        case .liftNozzle(let balance): "余额\(money(balance))：请提枪"
        case .fuelling: "阀门已打开"
        case .cardGone(let seconds): "卡已取出：请在\(seconds)秒内插回，否则待该卡下次来时补扣"
        case .readerGone(let reason, let seconds): "\(reason)；本次加油等待插卡\(seconds)秒"
        case .otherCard: "这是另一张卡：请等前一笔加油结束"
        case .settling: "正在扣款"
        case .settlingEarlierSale(let amount): "您上次加油的\(money(amount))尚未付款：现在补扣"
        case .earlierSaleSettled(let amount): "上次加油的\(money(amount))已补扣，卡已解扣"
        case .removeCard: "请取卡"
        case .refused(let refusal): words(refusal)
        case .cardFault(let fault): words(fault)
        case .escaped(let amount): "本次加油的\(money(amount))未付款：卡仍灰锁，下次来时补扣"
        case .readerLost(let reason): reason
        case .pumpMissing(let reason, _): "暂停服务：正在等待油泵的信号线：\(reason)"
        case .identification(let identification):
            "greylock \(identification.version)，SHA-256 \(identification.programDigits)；参数第"
                + " \(identification.parametersVersion) 版，校验码 \(identification.checksum)"
        case .program(let version, let hash): "greylock \(version)，SHA-256 \(Hex.string(hash))"
        case .parametersRefused(let refusal): words(refusal)
        case .notArmed: "不接待任何卡：本终端没有密钥，由保管人用 greylock keys load 装入"
        case .pulserFaults(let count): "本次加油有\(count)次脉冲故障"
        case .strayFaults(let count): "启动以来，加油之外有\(count)次脉冲故障：信号线受干扰，或服务曾停顿"
        case .pulserWorn(let margin):
            "脉冲发生器磨损：余量只剩 \(margin) %，低于 \(PulserHealth.marginPercentMin) % 应予更换"
        case .meterStopped(let stop): "\(words(stop))：本次加油结束"
        case .emergency: "紧急停机或断电：停止供油，不受理卡"
        case .emergencyOver: "紧急停机已解除"
        case .strayFlow(let number, let centilitres):
            "加油之外流出\(litres(centilitres: centilitres))升（记录\(number.value)）：阀门泄漏，或脉冲信号线受干扰"
        case .fuelDoesNotStop: "阀门已关闭，但油仍在流：请关闭手动阀并报修"
        case .heldForCheckpoint: "流水账的磁盘太慢：供油等待写盘"
        case .interrupted(let amount): "服务停止：本次加油的\(money(amount))已存盘，卡下次来时补扣"
        case .journalNearlyFull(let room): "流水账还可存\(room)条记录：请尽快增大 journal.capacity"
        case .recovered(let number, let amount): "第\(number.value)号加油曾中断：灰锁记录为\(money(amount))"
        case .waitForTheirCards(let count): "\(count)笔扣款未收到应答，等待原卡：用 greylock records 查看"
        case .releasedElsewhere(let amount): "此卡已在别处解扣：上次加油的\(money(amount))交由发卡单位处理"
        case .prepaying(let amount): "本次加油先付\(money(amount))"
        case .prepaid(let amount): "已付\(money(amount))：请提枪；可以取卡"
        case .prepaidCardGone: "卡已取出：本次加油已付款，继续进行"
        case .refund(let amount): "已付款中有\(money(amount))未加油：由发卡单位退款，请保留小票"
        case .purchaseVoid(let amount): "此卡上次的\(money(amount))没有扣款：不欠款"
        case .totalsDiffer(let difference):
            "\(difference.nozzle) 号枪累计量不一致：\(words(difference.keeper))为\(words(difference.from))，现以\(words(difference.to))为准，请与油枪计数器核对"
        case .totalsMadeAnew(let place, let reason):
            "\(place) 中的累计量重新建立\(reason.map { "，原内容不可信：\($0)" } ?? "：原先没有")"
        case .totalsNotWritten(let reason): "累计量少一处保存：\(reason)"
        case .totalsKeptAgain(let place): "累计量又保存于 \(place)"
        case .damagedRow(let row): "流水账中一行不可信，保持原样：\(words(row))；用 greylock records 查看"
        case .closed: "已关闭"
        }
    }

    func words(_ refusal: Refusal) -> String {
        switch refusal {
        case .notThisScheme(let status): "不是本系统的卡（\(status)）"
        case .noSuchApplication(let aid): "不是本系统的卡：卡上没有本终端所用的应用 \(Hex.string(aid))"
        case .fileUnreadable(let error): "卡的公共文件无法读取：\(words(error))"
        case .notYetValid(let date): "此卡自\(day(date))起有效"
        case .expired(let date): "此卡有效期至\(day(date))"
        case .blacklisted: "此卡已列入黑名单，请联系发卡单位"
        case .pinWrong(let left): "密码错误，还可再试\(left)次"
        case .pinBlocked: "密码已锁定，请到发卡单位解锁"
        case .pinNotTyped: "未及时输入密码"
        case .pinMalformed(let fault): words(fault)
        case .pinCancelled: "没有密码：顾客已取消，请取卡"
        case .pinNotTried(let left): "此前密码错误，还可再试\(left)次，不是当场输入的密码不再尝试，请取卡"
        case .consoleGone: "控制台已断开：服务重新启动前无法输入密码"
        case .keypadGone(let reason): "无法输入密码：\(reason)"
        case .lockedForGood: "卡上的应用已永久锁定，请到发卡单位换卡"
        case .greyElsewhere:
            "此卡因一笔未付款的加油而灰锁，本机没有该笔记录。如在本站加油，请把卡依次插入本站其他加油机，由当时的加油机补扣；"
                + "如不在本站，请到当时的加油站，或请发卡单位解扣"
        case .numbersUsedUp: "此卡的交易序号已用完，请到发卡单位换卡"
        case .notEnoughMoney(let balance, let needed): "余额\(money(balance))，至少需要\(money(needed))，请先充值"
        case .targetTooSmall(let target, let least):
            "不受理卡：本机每次加油最多\(litres(centilitres: target))升，少于最小被测量\(litres(centilitres: least))升，"
                + "请在配置中提高预置量或限额"
        case .clockNotSet: "主板时钟未设置：设置后才能受理卡"
        case .clockBehind(let last):
            "不受理卡：主板时钟早于最后一条记录（\(words(last))），请校准时钟；如时钟正确，由技术员用"
                + " greylock position --accept-clock 确认"
        case .journalFull(let room):
            "不受理卡：流水账只可再存\(room)条记录，留作补扣之用，请增大配置中的 journal.capacity"
        case .journalNotCounted: "正在清点流水账，请稍候再插卡"
        case .noNumber(let reason): "不受理卡：流水账无法给出序号：\(reason.printable)"
        case .cardKind(let kind): "类型为 \(Hex.string([kind])) 的卡不能在此加油"
        case .emergencyStop: "已按下紧急停机，或断电"
        case .drained: "按油站指令不再开始加油，撤销指令后恢复"
        case .blocked(let block): "按油站指令关闭：\(block.reason.printable)"
        case .totalsNotKept(let reason): "暂停服务：累计量只保存在流水账中：\(reason)"
        case .sideLocked(let lock):
            "已关闭，\(words(lock.since))：\(lock.reason.printable)；由技术员用 greylock position \(lock.remedy.flag) 打开"
        case .module(let error): words(error)
        case .noKey(let index): "此卡没有本终端所用索引\(index.number)的密钥（9403）：它需要另一索引的密钥"
        case .purchaseUnproven(let amount): "不能确定此卡是否已付\(money(amount))，不能供油，请重新插卡"
        case .debitUnproven(let amount): "此卡未能证明已付\(money(amount))：不视为已付款，请重新插卡"
        case .servedElsewhere(let side): "本卡在 \(side) 号加油位的交易尚未结束，请到该加油位插卡"
        case .earlierSaleOwed(let amount):
            "上次加油欠\(money(amount))，此卡未能证明已付款或已解扣，请把卡直接插入读卡器重试；如再次出现，请联系发卡单位"
        case .refundedUndelivered(let amount):
            "此卡证明已付\(money(amount))时已太晚：不再供油，由发卡单位退款，请保留小票"
        case .noPetrolCommands: "此卡没有加油功能，只能在先付款后加油处使用"
        case .petrolCommandsHidden: "此卡曾在本机使用加油功能，现在没有出示该功能，请把卡直接插入读卡器重试"
        case .purchaseRepeated: "此卡重复了在本机已做过的一笔消费，请把卡直接插入读卡器重试；如再次出现，请联系发卡单位"
        case .tornPurchases(let count): "此卡在本机有\(count)笔付款未得到证明，请联系发卡单位查账"
        case .purchasesPaused(let seconds): "本机最近的付款未得到证明：没有加油功能的卡需等待\(seconds)秒"
        case .answer(let instruction, let status): "卡对 \(instruction.name) 的应答为 \(status)"
        case .answerMalformed(let instruction, let error): "卡对 \(instruction.name) 的应答：\(words(error))"
        case .recordDamaged(let row):
            "一笔未完成加油的记录不可信，可能属于此卡（\(words(row))），请联系发卡单位或本站技术员"
        }
    }

    func words(_ kind: RecordKind) -> String {
        switch kind {
        case .sale: "加油"
        case .escape: "逃卡"
        case .localUnlock: "补扣"
        case .onlineUnlock: "联机解扣通知"
        case .noCard: "非卡加油"
        case .cardFault: "错卡"
        case .prepaid: "预付加油"
        case .refund: "退款"
        case .test: "检定回罐"
        }
    }

    private func words(_ keeper: TotaliserKeeper) -> String {
        switch keeper {
        case .journal: "流水账"
        case .file: "文件"
        case .boardMemory: "主板存储器"
        }
    }

    private func words(_ total: NozzleTotal) -> String {
        "\(litres(centilitres: total.volume.shownCentilitres))升、\(yuan(fen: total.fen))元"
    }

    private func words(_ fault: CardFault) -> String {
        switch fault {
        case .removed: "卡已取出"
        case .reader(let reason): "读卡器：\(reason)"
        case .inUse(let reason): "另一个程序正在使用此卡：请结束该程序（\(reason)）"
        case .unresponsive(let reason): "卡没有应答：\(reason)"
        case .malformed(let error): "卡的应答无效：\(words(error))"
        }
    }

    private func words(_ fault: PINFault) -> String {
        let rule = "密码为\(PIN.digitsMin)至\(PIN.digitsMax)位数字"
        return switch fault {
        case .tooShort: rule
        case .tooLong: "太长：\(rule)"
        case .noDigit: "只能输入数字：\(rule)"
        case .keysLost: "有按键丢失，已输入的全部作废"
        }
    }

    private func words(_ stop: MeterStop) -> String {
        switch stop {
        case .reversed(let counts): "油倒流，\(counts)个计数"
        case .swapped: "供油时脉冲器只倒转：A、B 通道接反"
        case .deadChannel(let channel): "脉冲器的 \(channel == .a ? "A" : "B") 通道没有信号"
        case .frozen(let milliseconds): "阀门打开时服务停顿了\(milliseconds / 1_000)秒"
        }
    }

    private func words(_ error: SecurityModuleError) -> String {
        switch error {
        case .keyNotLoaded(let key): "没有装入索引\(key.index.number)、版本\(key.version.number)的主密钥"
        case .keyNotInUse(let key): "索引\(key.index.number)、版本\(key.version.number)的主密钥现在不用于销售"
        case .holderFails(let key, _): "索引\(key.index.number)、版本\(key.version.number)的主密钥现在无法使用"
        case .algorithmNotSupported(let algorithm): "卡要求算法\(algorithm.number)，只支持0"
        case .mac1Wrong: "卡的 MAC1 错误：不是本系统的卡"
        case .mac3Wrong: "卡的 MAC3 错误：灰锁未得到证明"
        case .mac2Wrong: "卡的 MAC2 错误：付款未得到证明"
        case .sealBroken: "加封的 GMAC 不属于所在的记录"
        }
    }

    private func words(_ error: ParseError) -> String {
        switch error {
        case .truncated(let part): "\(part) 不完整"
        case .wrongLength(let part): "\(part) 长度错误"
        case .invalid(let part): "\(part) 的值无效"
        }
    }

    private func words(_ row: DamagedRow) -> String {
        "表 \(row.table)，\(row.keyName) \(row.key.map { "\($0)" } ?? "不明")"
            + (row.column.map { "，列 \($0.printable)" } ?? "") + "：\(row.reason.printable)"
    }

    private func words(_ time: TransactionTime) -> String { time == .unknown ? "时间不明" : "\(time)" }

    private func day(_ date: CalendarDate) -> String { "\(date.year)年\(date.month)月\(date.day)日" }

    private func money(_ amount: Amount) -> String { "\(yuan(fen: Int(amount.fen)))元" }

    // MARK: - To the customer

    func customerWords(_ notice: Notice) -> String {
        switch notice {
        case .insertCard: "请插卡。"
        case .readingCard: "正在读卡，请稍候……"
        case .typePIN: "请输入密码，按回车键确认："
        case .liftNozzle(let balance): "余额\(money(balance))，请提枪加油。"
        case .fuelling: "正在加油。"
        case .cardGone(let seconds): "请在\(seconds)秒内把卡插回。"
        case .otherCard: "这是另一张卡，请等前一笔加油结束。"
        case .settling: "正在扣款，请稍候……"
        case .settlingEarlierSale(let amount): "您上次加油的\(money(amount))尚未付款，现在补扣。"
        case .earlierSaleSettled(let amount): "您上次加油的\(money(amount))已付清。"
        case .removeCard: "请取卡。"
        case .refused(let refusal): customerWords(refusal)
        case .cardFault(let fault): customerWords(fault)
        case .escaped(let amount): "本次加油的\(money(amount))未付款，您的卡下次在此使用时补扣。"
        case .readerLost: "读卡器故障，暂停服务。"
        case .readerGone(_, let seconds): "读卡器故障，本次加油等待其恢复\(seconds)秒。"
        case .pumpMissing: "加油机故障，暂停服务。"
        case .identification(let identification):
            """
            程序 greylock \(identification.version)，SHA-256
            \(identification.programDigits)
            计量参数第 \(identification.parametersVersion) 版，校验码 \(identification.checksum)
            """
        case .program(let version, let hash):
            """
            程序 greylock \(version)，SHA-256
            \(Hex.string(hash))
            没有有效的计量参数
            """
        case .parametersRefused(let refusal): "暂停服务：计量参数铅封异常。请员工处理：\(short(refusal))。"
        case .notArmed: "暂停服务：没有密钥，请员工装入。"
        case .meterStopped: "供油已停止，请按已加油量付款。"
        case .emergency: "紧急停机，停止加油。"
        case .emergencyOver: "紧急停机已解除。"
        case .fuelDoesNotStop: "油仍在流，请立即呼叫工作人员。"
        case .interrupted(let amount): "暂停营业，您的卡下次在此使用时补扣\(money(amount))。"
        case .releasedElsewhere(let amount): "您上次加油的\(money(amount))交由发卡单位处理。"
        case .prepaying(let amount): "加油前先付款\(money(amount))。"
        case .prepaid(let amount): "已付款\(money(amount))，请提枪加油；可以取卡。"
        case .prepaidCardGone: "卡已取出，本次加油已付款，可继续加油。"
        case .refund(let amount): "有\(money(amount))未加油，由发卡单位退款，请保留小票。"
        case .purchaseVoid(let amount): "您的卡上次的\(money(amount))没有扣款，您不欠款。"
        case .closed: "暂停营业。"
        case .heldForCheckpoint: "请稍候。"
        case .pulserFaults, .strayFaults, .pulserWorn, .strayFlow, .journalNearlyFull, .recovered, .waitForTheirCards,
            .damagedRow, .totalsDiffer, .totalsMadeAnew, .totalsNotWritten, .totalsKeptAgain:
            words(notice)
        }
    }

    private func customerWords(_ refusal: Refusal) -> String {
        switch refusal {
        case .notThisScheme, .noSuchApplication, .cardKind: "此处不受理这种卡，请取卡。"
        case .module(.keyNotLoaded(let key)):
            "不能加油：您的卡需要密钥\(key.index.number)、版本\(key.version.number)，本机没有，请取卡，并告知工作人员。"
        case .module(.keyNotInUse(let key)):
            "不能加油：您的卡需要密钥\(key.index.number)、版本\(key.version.number)，本机现在不用，请取卡，并告知工作人员。"
        case .noKey(let index): "不能加油：您的卡没有本机所用的密钥\(index.number)，请取卡，并告知工作人员。"
        case .fileUnreadable, .answer, .answerMalformed, .module: "此卡无法使用，请取卡，并联系发卡单位。"
        case .pinWrong(let left): "密码错误，还可再试\(left)次。"
        case .pinMalformed(let fault): "请重新输入：\(words(fault))。"
        case .pinNotTyped: "未输入密码，请取卡。"
        case .targetTooSmall, .clockNotSet, .clockBehind, .journalFull, .noNumber, .sideLocked, .totalsNotKept:
            "暂停服务，请联系工作人员。"
        case .journalNotCounted: "请稍候再插卡。"
        case .pinCancelled: "已取消，请取卡。"
        case .pinNotTried(let left): "没有扣款：密码错误，还可再试\(left)次，请取卡。"
        case .consoleGone: "无法输入密码，暂停服务。"
        case .keypadGone: "密码键盘故障，无法输入密码，暂停服务。"
        case .emergencyStop: "紧急停机，停止加油。"
        case .drained, .blocked: "暂停营业。"
        case .recordDamaged: "您的卡有一条记录无法读取，请联系工作人员。"
        case .notYetValid, .expired, .blacklisted, .pinBlocked, .lockedForGood, .greyElsewhere, .numbersUsedUp,
            .notEnoughMoney, .purchaseUnproven, .debitUnproven, .earlierSaleOwed, .servedElsewhere,
            .refundedUndelivered, .noPetrolCommands, .petrolCommandsHidden, .purchaseRepeated, .tornPurchases,
            .purchasesPaused:
            "不能加油：\(words(refusal))。"
        }
    }

    private func customerWords(_ fault: CardFault) -> String {
        switch fault {
        case .removed: "您的卡已取出。"
        case .inUse: "您的卡正被其他程序使用，请稍候，或重新插卡。"
        case .reader: "无法读卡，请取出后重新插卡。"
        case .unresponsive: "卡没有应答，请取出，翻面或擦净触点后重新插卡。"
        case .malformed: "无法读卡，请取卡，并联系发卡单位。"
        }
    }

    var cardDoesNotAnswer: String { "卡没有应答，请取卡。" }

    func meter(centilitres: Int, fen: Int) -> String {
        "\(litres(centilitres: centilitres)) 升   \(yuan(fen: fen)) 元"
    }

    func words(_ line: ReceiptLine) -> ReceiptWords {
        switch line {
        case .record(let terminal, let side, let number):
            .sentence("终端 \(terminal)，加油位 \(side)，记录 \(number.value)")
        case .kind(let kind): .sentence(words(kind))
        case .time(let time): .entry(label: "日期", "\(time)")
        case .card(let number): .entry(label: "卡号", number)
        case .settles(let number): .entry(label: "补扣记录", "\(number.value)，此前未付款")
        case .fuel(let grade, let nozzle): .sentence("油品 \(grade)，油枪 \(nozzle)")
        case .volume(let centilitres): .figure(label: "油量", hundredths: centilitres, unit: "升")
        case .unitPrice(let price): .figure(label: "单价", hundredths: price.fenPerLitre, unit: "元/升")
        case .paid(let amount): .money("已付", amount, "元")
        case .notPaid(let amount): .money("未付", amount, "元")
        case .refund(let amount): .money("退款", amount, "元")
        case .refundDue(let amount): .money("应退", amount, "元，由发卡单位退款")
        case .notByCard(let amount): .money("非卡付款", amount, "元")
        case .balance(let amount): .money("余额", amount, "元")
        case .tac(let digits): .entry(label: "TAC", digits)
        case .notAuthentic: .sentence("卡的应答未通过验证：请保留此小票")
        }
    }
}
