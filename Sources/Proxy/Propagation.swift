import HTTP

/// What a request takes along that one of its headers has led to its target: the mark, in what services pass on with
/// the calls that they make on its behalf. So these are led alike, whether or not a service knows that header.
///
///     X-User: me  (matches `x-user: me`)        ──▶  X-User: me
///     baggage: trace=1                                baggage: trace=1, x-user=me
///
/// A carrier that has the mark already stays as it is. (A name may stand in `baggage` more than once, W3C Baggage §3.2;
/// readers take the last.)
struct Propagation {
    let match: Route.Match
    let carriers: [Route.Carrier]

    /// Whether a line is left out where it stands, for `write` writes it.
    func rewrites(_ field: HeaderField, of head: RequestHead, in bytes: UnsafeRawBufferPointer) -> Bool {
        carriers.contains { carrier in
            !carrier.isPrefix && same(carrier.name, bytes, field.name)
                && !match.isCarried(by: carrier, in: head.fields, of: bytes)
        }
    }

    /// Writes the lines of the carriers that don't have the mark yet.
    /// - Parameter headers: the target's own, which stand in the place of the client's.
    func write(
        _ head: RequestHead, in bytes: UnsafeRawBufferPointer, besides headers: [RemoteTarget.Header],
        to writer: inout HeadWriter
    ) {
        for carrier in carriers
        where !headers.hasName(carrier.name) && !match.isCarried(by: carrier, in: head.fields, of: bytes) {
            writer.append(carrier.name)
            if carrier.isPrefix { writer.append(match.name) }
            writer.lines(": ")
            if !carrier.isPrefix {
                for field in head.fields where same(carrier.name, bytes, field.name) && !field.value.isEmpty {
                    writer.append(UnsafeRawBufferPointer(rebasing: bytes[field.value]))
                    writer.lines(", ")
                }
                writer.append(match.name)
                writer.lines("=")
            }
            writer.append(match.encodedValue)
            writer.lines("\r\n")
        }
    }

    /// Percent-encoded but for what may stand in a member's value, and for the per cent sign itself (W3C Baggage §3.2).
    static func encode(_ value: [UInt8]) -> [UInt8] {
        var encoded: [UInt8] = []
        for byte in value {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "%"), UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "\\"),
                ...0x20,
                0x7f...:
                encoded.append(UInt8(ascii: "%"))
                for digit in [byte >> 4, byte & 15] {
                    encoded.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "A") + digit - 10)
                }
            default: encoded.append(byte)
            }
        }
        return encoded
    }
}

extension Route {
    /// What a request takes along; nil where no header has led it.
    func propagation(of head: RequestHead, in bytes: UnsafeRawBufferPointer) -> Propagation? {
        for match in matches where match.applies(to: head.fields, in: bytes, carriers) {
            guard match.isHeader else { return nil }
            return Propagation(match: match, carriers: carriers)
        }
        return nil
    }
}
