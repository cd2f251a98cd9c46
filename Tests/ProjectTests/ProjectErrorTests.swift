import Platform
import Project
import Testing

/// The sentences that no other test reads word for word.
@Suite struct ProjectErrorTests {
    @Test func missing_namesWhatNamedIt() {
        #expect(
            ProjectError.missing(path: "/a/b.json", origin: "DEVMESH_FILE").description
                == "There is no manifest at /a/b.json, which DEVMESH_FILE names. Correct the name, or leave it out.")
    }

    @Test func folderInsteadOfAFile_namesTheLikelyFile() {
        #expect(
            ProjectError.notAFile(path: "/a").description
                == "/a is a folder, not a manifest. Name the file in it, as /a/services.json.")
    }

    @Test func unreadable_saysWhy() {
        #expect(
            ProjectError.unreadable(path: "/a/b.json", .accessDenied).description
                == "Can't read /a/b.json: \(Errno.accessDenied). "
                + "Check the permissions of the file and of the folders above it.")
    }

    @Test func foreignFolder_saysWhyItMatters() {
        #expect(
            ProjectError.foreignFolder(path: "/tmp/devmesh-7").description
                == "/tmp/devmesh-7 belongs to another user or is a link, so the control socket would not be safe "
                + "there. Remove it, or set XDG_RUNTIME_DIR to a folder of your own.")
    }

    @Test func noHome_saysWhatToSet() {
        #expect(
            ProjectError.noHome.description
                == "Neither XDG_STATE_HOME nor HOME is set, so there is no place for the port registry. "
                + "Set one of them.")
    }

    @Test func newer_offersBothWaysOut() {
        #expect(
            ProjectError.newer(path: "/s/ports.json", version: 3).description
                == "/s/ports.json was written by a newer devmesh (format 3, this one knows 1). "
                + "Update devmesh, or remove the file.")
    }
}
