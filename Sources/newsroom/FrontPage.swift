import JSON
import Platform

/// The page: a column for each service that was asked.
struct FrontPage {
    /// What one service said.
    struct Column {
        let name: String
        let address: String
        let answer: Neighbour.Answer

        init(_ neighbour: Neighbour, _ answer: Neighbour.Answer) {
            name = neighbour.name
            address = neighbour.address ?? "nowhere"
            self.answer = answer
        }

        var json: JSON {
            var members: [JSON.Member] = [
                .init("address", .string(address)), .init("milliseconds", .double(answer.milliseconds)),
            ]
            switch answer.result {
            case .success(let body): members.append(.init("answer", body))
            case .failure(let failure): members.append(.init("error", .string(failure.reason)))
            }
            return .object(members)
        }

        /// How many elements the answer has under that key, or what went wrong.
        func summary(_ key: String, _ what: String) -> String {
            switch answer.result {
            case .success(let body): "\(name) says \(body[key]?.arrayValue?.count ?? 0) \(what)"
            case .failure(let failure): "\(name) gives no answer: \(failure.reason)"
            }
        }
    }

    let members: Column
    let purge: Column

    var json: JSON {
        [
            "reader": ["instance": .string(instanceName), "pid": .int(Int(ThisProcess.id))],
            "members": members.json, "purge": purge.json,
        ]
    }

    /// For the log: `members says 4 members, purge says 0 pages purged`.
    var summary: String {
        "\(members.summary("members", "members")), \(purge.summary("purged", "pages purged"))"
    }

    var whole: String {
        """
        <!doctype html>
        <html lang="en"><meta charset="utf-8"><title>The Newsroom</title>
        <meta name="viewport" content="width=device-width">
        <style>
        body { font: 17px/1.5 Georgia, serif; max-width: 46em; margin: 2em auto; padding: 0 1em;
          color: #222; background: #fdfbf7 }
        h1 { font-size: 2.6em; margin: 0; border-bottom: 3px double #222; text-align: center }
        main { display: grid; grid-template-columns: repeat(auto-fit, minmax(17em, 1fr)); gap: 2em; margin-top: 1em }
        .by { color: #777; font: 13px/1.6 ui-monospace, monospace } .bad { color: #a00 }
        button { font: inherit; padding: .2em 1em } li { margin: .1em 0 }
        @media (prefers-color-scheme: dark) { body { color: #ddd; background: #1b1a18 } h1 { border-color: #ddd } }
        </style>
        <h1>The Newsroom</h1>
        <main>\(news)</main>
        <form method="post" action="/purge"><button>Purge the front page</button></form>
        <script>
        // Asks again as soon as it has been answered: a restart shows as one slow answer, never as a failed one.
        const again = async () => {
          try { document.querySelector("main").innerHTML = await (await fetch("/news")).text() }
          catch (e) { document.querySelector("main").textContent = e }
          setTimeout(again, 2000)
        }
        setTimeout(again, 2000)
        </script>
        </html>

        """
    }

    /// The part of the page that changes.
    var news: String {
        let people = section("Members", members) { answer in
            let names = (answer["members"]?.arrayValue ?? []).compactMap(\.stringValue)
            let place = answer["place"]?.stringValue ?? "somewhere"
            return "<p>\(names.count) of them, says <b>\(escaped(place))</b>:</p>" + list(names)
        }
        let pages = section("Purged pages", purge) { answer in
            let entries = (answer["purged"]?.arrayValue ?? []).prefix(5).map {
                "\($0["page"]?.stringValue ?? "?") at \($0["at"]?.stringValue ?? "?")"
            }
            return entries.isEmpty ? "<p>None since it was started.</p>" : list(entries)
        }
        let by = "set by \(instanceName), pid \(ThisProcess.id), at \(WallTime.now.rfc3339(digits: 0))"
        return people + pages + "<p class=by>\(escaped(by))</p>"
    }

    private func section(_ title: String, _ column: Column, _ body: (JSON) -> String) -> String {
        let content: String
        var source = "from \(column.name) at \(column.address) in \(column.answer.milliseconds) ms"
        switch column.answer.result {
        case .success(let answer):
            content = body(answer)
            source += ", pid \(answer["pid"]?.intValue ?? 0)"
        case .failure(let failure): content = "<p class=bad>No answer: \(escaped(failure.reason))</p>"
        }
        return "<section><h2>\(title)</h2>\(content)<p class=by>\(escaped(source))</p></section>"
    }

    private func list(_ items: [String]) -> String {
        "<ul>" + items.map { "<li>\(escaped($0))</li>" }.joined() + "</ul>"
    }
}

/// Text as it may stand in HTML, in attributes too.
private func escaped(_ text: String) -> String {
    var result = ""
    for character in text.unicodeScalars {
        switch character {
        case "&": result += "&amp;"
        case "<": result += "&lt;"
        case ">": result += "&gt;"
        case "\"": result += "&quot;"
        default: result.unicodeScalars.append(character)
        }
    }
    return result
}
