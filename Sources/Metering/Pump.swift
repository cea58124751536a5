/// The pump of one nozzle.
package protocol Pump: AnyObject {
    /// Returns when the outputs are as the command wants them.
    func perform(_ command: PumpCommand) throws(PumpFault)
    var snapshot: MeterSnapshot { get }
}
