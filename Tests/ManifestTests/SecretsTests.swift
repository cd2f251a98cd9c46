import Manifest
import Testing

@Suite struct SecretsTests {
    @Test(arguments: [
        "TOKEN", "GITHUB_TOKEN", "token", "clientSecret", "DB_PASSWORD", "PASSWD", "SSH_KEY", "KEYS",
        "GOOGLE_CREDENTIALS",
    ])
    func name_thatTellsOfASecret_isOne(name: String) {
        #expect(Secrets.isSecretName(name))
    }

    @Test(arguments: ["", "T", "TOKE", "PASS", "LOG_LEVEL", "KE_Y", "größe"])
    func otherName_isNone(name: String) {
        #expect(!Secrets.isSecretName(name))
    }

    @Test(arguments: [
        ("postgres://ada:pw@db/x", "postgres://ada:********@db/x"), ("redis://:pw@r", "redis://:********@r"),
        ("http://a:b:c@d@e/", "http://a:********@e/"),
        ("a http://u:p@h b https://v:q@i", "a http://u:********@h b https://v:********@i"),
        ("http://ada@db/", "http://ada@db/"), ("http://ada:@db/", "http://ada:@db/"), ("mail a:b@c", "mail a:b@c"),
        ("http://h/x:y@z", "http://h/x:y@z"), ("http://h?u:p@x", "http://h?u:p@x"), ("", ""), ("://:@", "://:@"),
        ("http://größe:pässword@h", "http://größe:********@h"),
    ])
    func passwords_ofURLs_areMasked(text: String, masked: String) {
        #expect(Secrets.maskingPasswords(in: text) == masked)
        #expect(Secrets.holdsPassword(text) == (text != masked))
    }

    @Test func values_areMaskedWhereverTheyStand() {
        #expect(Secrets.masking(["abc", "abcdef", ""], in: "--a=abcdef --b=abc x") == "--a=******** --b=******** x")
    }

    @Test(arguments: [
        ("abc", "********"), ("abcabc.", "****************."), ("xabc\u{301}", "x********\u{301}"), ("ab", "ab"),
        ("", ""), ("ababc", "ab********"), ("größe abc ß", "größe ******** ß"),
    ])
    func value_isMaskedByteForByte(text: String, masked: String) {
        #expect(Secrets.masking(["abc"], in: text).utf8.elementsEqual(masked.utf8))
    }

    @Test func variable_isMaskedAsFarAsItIsSecret() {
        let position = Variable.Source.manifest(Position(line: 1, column: 1))
        var variable = Variable(name: "A", value: "http://u:p@h/\0PORT\0", source: position)
        #expect(variable.masked == "http://u:p@h/${PORT}")
        #expect(!variable.isSecret)
        variable.secrecy = .passwords
        #expect(variable.masked == "http://u:********@h/${PORT}")
        variable.secrecy = .whole
        #expect(variable.masked == "********")
        #expect(variable.isSecret)
    }
}
