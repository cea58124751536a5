private import CGPIOD
private import CLinux
private import Glibc

// The owners of what libgpiod allocates. Each is used by one thread at a time and ends what it owns in `deinit`.

/// An open GPIO chip. Requested lines outlive it.
@safe
struct Chip: ~Copyable {
    let name: String
    let label: String
    let lineCount: Int
    private let handle: OpaquePointer

    /// - Parameter path: of the device. The corresponding C functions are `gpiod_chip_open` and `gpiod_chip_get_info`.
    init(path: String) throws(GPIOFault) {
        guard let handle = unsafe gpiod_chip_open(path) else {
            switch errno {
            case EACCES, EPERM: throw .notPermitted(chip: path)
            case ENOENT, ENODEV, ENOTTY, ENXIO: throw .noSuchChip(path, present: ChipDirectory.descriptions())
            case _: throw .last("opening \(path)")
            }
        }
        guard let info = unsafe gpiod_chip_get_info(handle) else {
            let fault = GPIOFault.last("gpiod_chip_get_info of \(path)")
            unsafe gpiod_chip_close(handle)
            throw fault
        }
        // SAFETY: the texts belong to `info` and are copied before it is freed.
        name = unsafe String(cString: gpiod_chip_info_get_name(info))
        label = unsafe String(cString: gpiod_chip_info_get_label(info))
        lineCount = unsafe gpiod_chip_info_get_num_lines(info)
        unsafe gpiod_chip_info_free(info)
        unsafe self.handle = handle
    }

    deinit { unsafe gpiod_chip_close(handle) }

    /// What the kernel says of a line, without taking it. The corresponding C function is `gpiod_chip_get_line_info`.
    func state(of offset: Int) throws(GPIOFault) -> LineState {
        guard let info = unsafe gpiod_chip_get_line_info(handle, UInt32(offset)) else {
            throw .last("gpiod_chip_get_line_info of line \(offset)")
        }
        defer { unsafe gpiod_line_info_free(info) }
        // SAFETY: the texts belong to `info` and are copied before it is freed.
        let name = unsafe gpiod_line_info_get_name(info).map { unsafe String(cString: $0) }
        let consumer = unsafe gpiod_line_info_get_consumer(info).map { unsafe String(cString: $0) }
        return unsafe LineState(
            line: ChipLine(offset: offset, name: name.flatMap { $0.isEmpty ? nil : $0 }),
            isOutput: gpiod_line_info_get_direction(info) == GPIOD_LINE_DIRECTION_OUTPUT,
            isActiveLow: gpiod_line_info_is_active_low(info),
            bias: Self.bias(gpiod_line_info_get_bias(info)),
            holder: gpiod_line_info_is_used(info) ? LineState.Holder(name: consumer) : nil
        )
    }

    private static func bias(_ bias: gpiod_line_bias) -> GPIOWiring.Bias? {
        switch bias {
        case GPIOD_LINE_BIAS_DISABLED: .disabled
        case GPIOD_LINE_BIAS_PULL_UP: .pullUp
        case GPIOD_LINE_BIAS_PULL_DOWN: .pullDown
        case _: nil
        }
    }

    /// - Parameter eventBufferMax: how many edges the kernel keeps for the reader.
    ///
    /// The corresponding C function is `gpiod_chip_request_lines`.
    func request(
        _ configuration: borrowing LineConfiguration,
        consumer: String,
        eventBufferMax: Int
    ) throws(GPIOFault) -> LineRequest {
        guard let settings = unsafe gpiod_request_config_new() else { throw .last("gpiod_request_config_new") }
        defer { unsafe gpiod_request_config_free(settings) }
        unsafe gpiod_request_config_set_consumer(settings, consumer)
        unsafe gpiod_request_config_set_event_buffer_size(settings, eventBufferMax)
        guard let request = unsafe gpiod_chip_request_lines(handle, settings, configuration.handle) else {
            throw .last("gpiod_chip_request_lines of \(name)")
        }
        return unsafe LineRequest(handle: request, offsets: configuration.offsets)
    }
}

/// How lines are to be requested.
@safe
struct LineConfiguration: ~Copyable {
    fileprivate let handle: OpaquePointer
    private(set) var offsets: [UInt32]

    init() throws(GPIOFault) {
        guard let handle = unsafe gpiod_line_config_new() else { throw .last("gpiod_line_config_new") }
        unsafe self.handle = handle
        offsets = []
    }

    deinit { unsafe gpiod_line_config_free(handle) }

    /// Both edges, stamped with the monotonic clock. A chip that cannot debounce leaves it to the kernel.
    mutating func add(
        _ line: ChipLine,
        _ input: GPIOWiring.Input,
        debounceMicroseconds: Int
    ) throws(GPIOFault) {
        let bias =
            switch input.bias {
            case .asIs: GPIOD_LINE_BIAS_AS_IS
            case .disabled: GPIOD_LINE_BIAS_DISABLED
            case .pullUp: GPIOD_LINE_BIAS_PULL_UP
            case .pullDown: GPIOD_LINE_BIAS_PULL_DOWN
            }
        unsafe try add(line.offset) { settings in
            unsafe gpiod_line_settings_set_active_low(settings, input.isActiveLow)
            unsafe gpiod_line_settings_set_debounce_period_us(settings, UInt(debounceMicroseconds))
            return unsafe [
                gpiod_line_settings_set_direction(settings, GPIOD_LINE_DIRECTION_INPUT),
                gpiod_line_settings_set_edge_detection(settings, GPIOD_LINE_EDGE_BOTH),
                gpiod_line_settings_set_event_clock(settings, GPIOD_LINE_CLOCK_MONOTONIC),
                gpiod_line_settings_set_bias(settings, bias),
            ]
        }
    }

    /// An output, inactive from the instant of the request.
    mutating func add(offset: Int, isActiveLow: Bool) throws(GPIOFault) {
        unsafe try add(offset) { settings in
            unsafe gpiod_line_settings_set_active_low(settings, isActiveLow)
            return unsafe [
                gpiod_line_settings_set_direction(settings, GPIOD_LINE_DIRECTION_OUTPUT),
                gpiod_line_settings_set_output_value(settings, GPIOD_LINE_VALUE_INACTIVE),
            ]
        }
    }

    private mutating func add(_ offset: Int, _ set: (OpaquePointer) -> [Int32]) throws(GPIOFault) {
        guard let settings = unsafe gpiod_line_settings_new() else { throw .last("gpiod_line_settings_new") }
        defer { unsafe gpiod_line_settings_free(settings) }
        guard unsafe set(settings).allSatisfy({ $0 == 0 }) else { throw .last("gpiod_line_settings of line \(offset)") }
        var offset = UInt32(offset)
        guard unsafe gpiod_line_config_add_line_settings(handle, &offset, 1, settings) == 0 else {
            throw .last("gpiod_line_config_add_line_settings of line \(offset)")
        }
        offsets.append(offset)
    }
}

/// Lines held by this process; the kernel gives them to no other until they are released, or the process is gone.
@safe
struct LineRequest: ~Copyable {
    let offsets: [UInt32]
    private let handle: OpaquePointer

    fileprivate init(handle: OpaquePointer, offsets: [UInt32]) {
        unsafe self.handle = handle
        self.offsets = offsets
    }

    deinit { unsafe gpiod_line_request_release(handle) }

    /// Readable while edges wait.
    var descriptor: Int32 { unsafe gpiod_line_request_get_fd(handle) }

    /// Whether each line is active, in the order of ``offsets``. The corresponding C function is
    /// `gpiod_line_request_get_values`.
    func values() throws(GPIOFault) -> [Bool] {
        var values = Array(repeating: GPIOD_LINE_VALUE_ERROR, count: offsets.count)
        // SAFETY: the function writes one value for each requested line, and that is how many there are.
        guard unsafe gpiod_line_request_get_values(handle, &values) == 0 else {
            throw .last("gpiod_line_request_get_values")
        }
        return values.map { $0 == GPIOD_LINE_VALUE_ACTIVE }
    }

    /// Drives all lines by one call of the kernel, in the order of ``offsets``. The corresponding C function is
    /// `gpiod_line_request_set_values`.
    func setValues(_ active: [Bool]) throws(GPIOFault) {
        precondition(active.count == offsets.count)
        let values = active.map { $0 ? GPIOD_LINE_VALUE_ACTIVE : GPIOD_LINE_VALUE_INACTIVE }
        // SAFETY: the function reads one value for each requested line, and that is how many there are.
        guard unsafe gpiod_line_request_set_values(handle, values) == 0 else {
            throw .last("gpiod_line_request_set_values")
        }
    }

    /// Whether edges wait. The corresponding C function is `gpiod_line_request_wait_edge_events`.
    func hasEdges() throws(GPIOFault) -> Bool {
        let result = unsafe gpiod_line_request_wait_edge_events(handle, 0)
        guard result >= 0 else { throw .last("gpiod_line_request_wait_edge_events") }
        return result > 0
    }

    /// Moves waiting edges into `buffer`, as many as it has room for; without any it blocks.
    ///
    /// - Returns: how many.
    ///
    /// The corresponding C function is `gpiod_line_request_read_edge_events`.
    func readEdges(into buffer: borrowing EdgeBuffer) throws(GPIOFault) -> Int {
        let count = unsafe gpiod_line_request_read_edge_events(handle, buffer.handle, buffer.capacity)
        guard count >= 0 else { throw .last("gpiod_line_request_read_edge_events") }
        return Int(count)
    }
}

/// Room for a batch of edges, used again and again. The library clears all of it at each reading.
@safe
struct EdgeBuffer: ~Copyable {
    let capacity: Int
    fileprivate let handle: OpaquePointer

    struct Edge {
        let offset: UInt32
        let rising: Bool
        let nanoseconds: UInt64
        let sequence: UInt32
    }

    init(capacity: Int) throws(GPIOFault) {
        guard let handle = unsafe gpiod_edge_event_buffer_new(capacity) else {
            throw .last("gpiod_edge_event_buffer_new")
        }
        unsafe self.handle = handle
        self.capacity = capacity
    }

    deinit { unsafe gpiod_edge_event_buffer_free(handle) }

    /// The edge at `index` of the last batch. The corresponding C function is `gpiod_edge_event_buffer_get_event`.
    subscript(index: Int) -> Edge {
        // SAFETY: the event belongs to the buffer and is copied out before the next batch.
        guard let event = unsafe gpiod_edge_event_buffer_get_event(handle, UInt(index)) else {
            preconditionFailure("the batch has no edge \(index)")
        }
        return unsafe Edge(
            offset: gpiod_edge_event_get_line_offset(event),
            rising: gpiod_edge_event_get_event_type(event) == GPIOD_EDGE_EVENT_RISING_EDGE,
            nanoseconds: gpiod_edge_event_get_timestamp_ns(event),
            sequence: UInt32(truncatingIfNeeded: gpiod_edge_event_get_line_seqno(event))
        )
    }
}

/// What ends a wait from another thread. ``ring()`` may be called by any.
struct Bell: ~Copyable, Sendable {
    /// Readable once it rang.
    let descriptor: Int32

    /// The corresponding C function is `eventfd`.
    init() throws(GPIOFault) {
        descriptor = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        guard descriptor >= 0 else { throw .last("eventfd") }
    }

    deinit { close(descriptor) }

    func ring() {
        let result = eventfd_write(descriptor, 1)
        precondition(result == 0 || errno == EAGAIN, "the bell is open and rings already")
    }

    func silence() {
        var count: eventfd_t = 0
        let result = unsafe eventfd_read(descriptor, &count)
        precondition(result == 0 || errno == EAGAIN, "the bell is open")
    }
}
