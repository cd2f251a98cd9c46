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

    @Test(arguments: Shortage.allCases) func remedy_namesACommand(shortage: Shortage) {
        #expect(shortage.remedy.contains("`"))
        #expect(!shortage.explained.hasSuffix("."))
    }
}
