import Testing

@testable import Platform

struct ShortageTests {
    @Test(arguments: [
        (Errno.tooManyOpenFiles, "too many open files; raise the hard limit (`ulimit -Hn` shows it) with "),
        (.tooManyOpenFilesInSystem, "too many open files in the whole system; raise the limit with "),
        (.noSpace, "the disk is full; make room ("),
        (.accessDenied, "Permission denied"),
    ])
    func explained_saysWhatAndWhatToDo(error: Errno, start: String) {
        #expect(error.explained.hasPrefix(start))
    }

    /// What is told must not take away what there is.
    @Test func remedy_ofALimit_isMoreThanThereIs() throws {
        for (shortage, name) in [(Shortage.watches, "max_user_watches"), (.watchers, "max_user_instances")] {
            let text = String(decoding: try Kernel.real.readFile("/proc/sys/fs/inotify/" + name), as: UTF8.self)
            let present = try #require(Int(text.prefix { $0.isNumber }))
            let told = shortage.remedy.split(separator: "=").last.flatMap { Int($0.prefix { $0.isNumber }) }
            #expect(try #require(told) > present)
        }
    }

    @Test(arguments: Shortage.allCases) func remedy_namesACommand(shortage: Shortage) {
        #expect(shortage.remedy.contains("`"))
        #expect(!shortage.explained.hasSuffix("."))
    }
}
