import Control
import Testing

@testable import Commands

@Suite struct StatusLineTests {
    private func line(_ services: String = "reader=ready members=building purge=failed") -> StatusLine {
        var line = StatusLine()
        line.services = services.split(separator: " ").map { pair in
            let sides = pair.split(separator: "=")
            return StatusLine.Service(name: String(sides[0]), state: String(sides[1]))
        }
        return line
    }

    @discardableResult
    private func press(_ keys: String, _ line: inout StatusLine) -> StatusLine.Command? {
        var last: StatusLine.Command?
        for key in TerminalKey.keys(in: Array(keys.utf8)) { last = line.press(key) }
        return last
    }

    // MARK: Text

    @Test(arguments: [
        (79, "reader ● ready  members ◌ building  purge ✕ failed  ? help"),
        (50, "reader ● ready  members ◌ building  purge ✕ failed"),
        (49, "reader ●  members ◌ building  purge ✕ failed"), (43, "● 1 ready  members ◌ building  purge ✕ fai…"),
        (20, "● 1 ready  members …"), (1, "…"), (0, ""),
    ])
    func states_fitTheWidth(_ width: Int, _ text: String) {
        #expect(line().text(width: width, colours: false) == text)
        #expect(DisplayWidth.of(text) <= width)
    }

    @Test func states_manyReady_areCounted() {
        let all = (1...40).map { "service-\($0)=ready" }.joined(separator: " ")
        #expect(line(all).text(width: 79, colours: false) == "● 40 ready  ? help")
        #expect(line("a=stopped b=ready").text(width: 79, colours: false) == "a ○ stopped  b ● ready  ? help")
    }

    @Test func states_withColours_haveThemByState() {
        #expect(
            line("a=ready").text(width: 79, colours: true)
                == "a\u{1B}[32m ●\u{1B}[0m\u{1B}[32m ready\u{1B}[0m\u{1B}[2m  ? help\u{1B}[0m")
    }

    @Test func choice_showsWhatFits() {
        var line = line("reader=ready purge=ready relay=ready")
        press("r", &line)
        #expect(line.text(width: 79, colours: false) == "restart: _  [reader]  purge  relay")
        press("re", &line)
        #expect(line.text(width: 79, colours: false) == "restart: re_  [reader]  relay")
        press("\t", &line)
        #expect(line.text(width: 79, colours: false) == "restart: re_  reader  [relay]")
        #expect(DisplayWidth.of(line.text(width: 12, colours: false)) <= 12)
    }

    @Test(arguments: [60, 40, 35, 30])
    func choice_ofManyServices_showsTheChosenOne(_ width: Int) {
        var line = line((1...9).map { "s\($0)-long-name=ready" }.joined(separator: " "))
        press("r", &line)
        for place in 1...9 {
            let text = line.text(width: width, colours: false)
            #expect(text.contains("[s\(place)-long-name]"), "\(text)")
            #expect(DisplayWidth.of(text) <= width)
            press("\t", &line)
        }
    }

    // MARK: Keys

    @Test func restart_byTheBeginningOfAName() {
        var line = line()
        #expect(press("rme\r", &line) == .perform(.restart, "members"))
        #expect(line.choice == nil)
        #expect(press("bP\r", &line) == .perform(.build, "purge"))
    }

    @Test func choice_whatFitsNothing_isNotTaken() {
        var line = line()
        press("rxmxe", &line)
        #expect(line.choice == StatusLine.Choice(verb: .restart, typed: "me"))
        press("\u{7F}\u{7F}", &line)
        #expect(line.choice == StatusLine.Choice(verb: .restart))
        press("\u{7F}", &line)
        #expect(line.choice == nil)
    }

    @Test func choice_escape_doesNothing() {
        var line = line()
        #expect(press("rre\u{1B}", &line) == nil)
        #expect(line.choice == nil)
    }

    @Test func choice_ofAServiceThatGoes_staysWithinTheRest() {
        var line = line()
        press("r\t\t", &line)
        line.services.removeLast()
        #expect(press("\r", &line) == .perform(.restart, "members"))
        line.services = []
        #expect(press("r\r", &line) == nil)
    }

    @Test func filter_showsOne_andAllAgain() {
        var line = line()
        #expect(press("fre\r", &line) == .show(.init(only: "reader")))
        #expect(line.text(width: 79, colours: false).hasPrefix("only reader  reader ● ready  members"))
        #expect(press("fall\r", &line) == .show(.init()))
        press("fre\r", &line)
        #expect(press("\u{1B}", &line) == .show(.init()))
        #expect(press("\u{1B}", &line) == nil)
    }

    @Test func mute_isTakenBackByTheSame() {
        var line = line()
        #expect(press("mre\r", &line) == .show(.init(muted: ["reader"])))
        #expect(line.text(width: 79, colours: false).hasPrefix("reader ● ready (muted)  members"))
        #expect(press("mre\r", &line) == .show(.init()))
    }

    @Test func filter_takesVersionsWithTheirService() {
        let muted = StatusLine.LogFilter(muted: ["reader"])
        #expect(!muted.shows("reader@next") && !muted.shows("reader") && muted.shows("purge"))
        let only = StatusLine.LogFilter(only: "reader", muted: ["reader"])
        #expect(only.shows("reader@next") && !only.shows("purge"))
    }

    @Test func otherKeys() {
        var line = line()
        #expect(press("q", &line) == .quit)
        #expect(press("?", &line) == .say(StatusLine.help))
        #expect(press("\u{1A}", &line) == .suspend)
        #expect(press("r\u{1A}", &line) == .suspend)
        press("\u{1B}", &line)
        #expect(press("o\r", &line) == .open(nil))
        #expect(press("ome\r", &line) == .open("members"))
        #expect(press("x", &line) == nil)
    }
}
