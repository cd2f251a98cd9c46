/// What an HTTP/2 client is told where nothing is served: SETTINGS, which must come first, and GOAWAY with the reason
/// (RFC 9113 §3.4 and §6.8), which clients show as "debug data".
func http2Farewell(_ reason: String, needsHTTP1: Bool) -> [UInt8] {
    let text = Array(reason.utf8.prefix(1024))
    let code: UInt8 = needsHTTP1 ? 0x0d : 0x02  // HTTP_1_1_REQUIRED, INTERNAL_ERROR
    return frame(type: 4, []) + frame(type: 7, [0, 0, 0, 0, 0, 0, 0, code] + text)
}

/// A frame of the connection itself, without flags (RFC 9113 §4.1).
private func frame(type: UInt8, _ payload: [UInt8]) -> [UInt8] {
    let length = payload.count
    return [UInt8(length >> 16 & 0xff), UInt8(length >> 8 & 0xff), UInt8(length & 0xff), type, 0, 0, 0, 0, 0] + payload
}
