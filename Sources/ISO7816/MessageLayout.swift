/// One field of a message: its name in the source, how many bytes it has, and where its value is.
package struct Field<Message, Element>: Sendable {
    @usableFromInline let part: MessageLayout<Message>.Part
    @usableFromInline let parse: @Sendable (ArraySlice<UInt8>) throws(ParseError) -> Element
    @usableFromInline let append: @Sendable (Message, inout [UInt8]) -> Void

    @inlinable package init(_ name: String, _ value: @escaping @Sendable (Message) -> Element)
    where Element: DataElement {
        part = .init(name: name, length: Element.length)
        append = { value($0).append(to: &$1) }
        parse = { (bytes) throws(ParseError) in try Element(bytes: bytes) }
    }

    /// Bytes that no element names.
    @inlinable package init(_ name: String, count: Int, _ value: @escaping @Sendable (Message) -> [UInt8])
    where Element == [UInt8] {
        part = .init(name: name, length: count)
        append = { $1 += value($0) }
        parse = { Array($0) }
    }

    @inlinable func read(_ reader: inout FieldReader) throws(ParseError) -> Element {
        try parse(reader.read(part.name, count: part.length))
    }
}

/// The fields of a message in their order, said once: its length, its parser, its writer and the words of its trace follow.
package final class MessageLayout<Message>: Sendable {
    @usableFromInline struct Part: Sendable {
        @usableFromInline let name: String
        @usableFromInline let length: Int

        @usableFromInline init(name: String, length: Int) {
            self.name = name
            self.length = length
        }
    }

    package let length: Int
    private let parts: [Part]
    private let make: @Sendable (inout FieldReader) throws(ParseError) -> Message
    private let write: @Sendable (Message, inout [UInt8]) -> Void

    @usableFromInline init(
        _ parts: [Part],
        make: @escaping @Sendable (inout FieldReader) throws(ParseError) -> Message,
        write: @escaping @Sendable (Message, inout [UInt8]) -> Void
    ) {
        length = parts.reduce(0) { $0 + $1.length }
        self.parts = parts
        self.make = make
        self.write = write
    }

    package func read(_ reader: inout FieldReader) throws(ParseError) -> Message { try make(&reader) }

    /// - Throws: `.wrongLength` when bytes are left over.
    package func parse(_ bytes: [UInt8]) throws(ParseError) -> Message {
        var reader = FieldReader(bytes)
        let message = try make(&reader)
        try reader.finish("message")
        return message
    }

    package func append(_ message: Message, to bytes: inout [UInt8]) {
        write(message, &bytes)
    }

    package func bytes(of message: Message) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(length)
        append(message, to: &bytes)
        return bytes
    }

    /// Each field's name with its bytes in hexadecimal; of bytes that are no such message, why not, and all of them.
    package func words(of bytes: [UInt8]) -> [String] {
        do throws(ParseError) { _ = try parse(bytes) } catch {
            return ["\(error): \(Hex.string(bytes))"]
        }
        var rest = bytes[...]
        return parts.map { part in
            defer { rest = rest.dropFirst(part.length) }
            return "\(part.name) \(Hex.string(rest.prefix(part.length)))"
        }
    }
}

// One for each number of fields: parameter packs would say them all at once, and parse at two thirds of the pace (decision
// record 0045).
extension MessageLayout {
    package convenience init(_ make: @escaping @Sendable () -> Message) {
        self.init([], make: { (_) throws(ParseError) in make() }, write: { (_, _) in })
    }

    @inlinable package convenience init<A>(
        _ make: @escaping @Sendable (A) throws(ParseError) -> Message,
        _ a: Field<Message, A>
    ) {
        self.init([a.part]) { (reader) throws(ParseError) in
            try make(a.read(&reader))
        } write: { message, bytes in
            a.append(message, &bytes)
        }
    }

    @inlinable package convenience init<A, B>(
        _ make: @escaping @Sendable (A, B) throws(ParseError) -> Message,
        _ a: Field<Message, A>,
        _ b: Field<Message, B>
    ) {
        self.init([a.part, b.part]) { (reader) throws(ParseError) in
            try make(a.read(&reader), b.read(&reader))
        } write: { message, bytes in
            a.append(message, &bytes)
            b.append(message, &bytes)
        }
    }

    @inlinable package convenience init<A, B, C>(
        _ make: @escaping @Sendable (A, B, C) throws(ParseError) -> Message,
        _ a: Field<Message, A>,
        _ b: Field<Message, B>,
        _ c: Field<Message, C>
    ) {
        self.init([a.part, b.part, c.part]) { (reader) throws(ParseError) in
            try make(a.read(&reader), b.read(&reader), c.read(&reader))
        } write: { message, bytes in
            a.append(message, &bytes)
            b.append(message, &bytes)
            c.append(message, &bytes)
        }
    }

    @inlinable package convenience init<A, B, C, D>(
        _ make: @escaping @Sendable (A, B, C, D) throws(ParseError) -> Message,
        _ a: Field<Message, A>,
        _ b: Field<Message, B>,
        _ c: Field<Message, C>,
        _ d: Field<Message, D>
    ) {
        self.init([a.part, b.part, c.part, d.part]) { (reader) throws(ParseError) in
            try make(a.read(&reader), b.read(&reader), c.read(&reader), d.read(&reader))
        } write: { message, bytes in
            a.append(message, &bytes)
            b.append(message, &bytes)
            c.append(message, &bytes)
            d.append(message, &bytes)
        }
    }

    @inlinable package convenience init<A, B, C, D, E>(
        _ make: @escaping @Sendable (A, B, C, D, E) throws(ParseError) -> Message,
        _ a: Field<Message, A>,
        _ b: Field<Message, B>,
        _ c: Field<Message, C>,
        _ d: Field<Message, D>,
        _ e: Field<Message, E>
    ) {
        self.init([a.part, b.part, c.part, d.part, e.part]) { (reader) throws(ParseError) in
            try make(a.read(&reader), b.read(&reader), c.read(&reader), d.read(&reader), e.read(&reader))
        } write: { message, bytes in
            a.append(message, &bytes)
            b.append(message, &bytes)
            c.append(message, &bytes)
            d.append(message, &bytes)
            e.append(message, &bytes)
        }
    }

    @inlinable package convenience init<A, B, C, D, E, F>(
        _ make: @escaping @Sendable (A, B, C, D, E, F) throws(ParseError) -> Message,
        _ a: Field<Message, A>,
        _ b: Field<Message, B>,
        _ c: Field<Message, C>,
        _ d: Field<Message, D>,
        _ e: Field<Message, E>,
        _ f: Field<Message, F>
    ) {
        self.init([a.part, b.part, c.part, d.part, e.part, f.part]) { (reader) throws(ParseError) in
            try make(
                a.read(&reader),
                b.read(&reader),
                c.read(&reader),
                d.read(&reader),
                e.read(&reader),
                f.read(&reader)
            )
        } write: { message, bytes in
            a.append(message, &bytes)
            b.append(message, &bytes)
            c.append(message, &bytes)
            d.append(message, &bytes)
            e.append(message, &bytes)
            f.append(message, &bytes)
        }
    }

    @inlinable package convenience init<A, B, C, D, E, F, G>(
        _ make: @escaping @Sendable (A, B, C, D, E, F, G) throws(ParseError) -> Message,
        _ a: Field<Message, A>,
        _ b: Field<Message, B>,
        _ c: Field<Message, C>,
        _ d: Field<Message, D>,
        _ e: Field<Message, E>,
        _ f: Field<Message, F>,
        _ g: Field<Message, G>
    ) {
        self.init([a.part, b.part, c.part, d.part, e.part, f.part, g.part]) { (reader) throws(ParseError) in
            try make(
                a.read(&reader),
                b.read(&reader),
                c.read(&reader),
                d.read(&reader),
                e.read(&reader),
                f.read(&reader),
                g.read(&reader)
            )
        } write: { message, bytes in
            a.append(message, &bytes)
            b.append(message, &bytes)
            c.append(message, &bytes)
            d.append(message, &bytes)
            e.append(message, &bytes)
            f.append(message, &bytes)
            g.append(message, &bytes)
        }
    }

    @inlinable package convenience init<A, B, C, D, E, F, G, H>(
        _ make: @escaping @Sendable (A, B, C, D, E, F, G, H) throws(ParseError) -> Message,
        _ a: Field<Message, A>,
        _ b: Field<Message, B>,
        _ c: Field<Message, C>,
        _ d: Field<Message, D>,
        _ e: Field<Message, E>,
        _ f: Field<Message, F>,
        _ g: Field<Message, G>,
        _ h: Field<Message, H>
    ) {
        self.init([a.part, b.part, c.part, d.part, e.part, f.part, g.part, h.part]) { (reader) throws(ParseError) in
            try make(
                a.read(&reader),
                b.read(&reader),
                c.read(&reader),
                d.read(&reader),
                e.read(&reader),
                f.read(&reader),
                g.read(&reader),
                h.read(&reader)
            )
        } write: { message, bytes in
            a.append(message, &bytes)
            b.append(message, &bytes)
            c.append(message, &bytes)
            d.append(message, &bytes)
            e.append(message, &bytes)
            f.append(message, &bytes)
            g.append(message, &bytes)
            h.append(message, &bytes)
        }
    }
}
