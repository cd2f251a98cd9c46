/// What the gateway shows of a project: its services, where they are at the gateway, and how they stand.
public struct GatewayOverview: Sendable, Equatable {
    public var project: String
    public var services: [Service]

    public struct Service: Sendable, Equatable {
        public var name: String
        public var state: String
        /// Nil where nothing leads to it.
        public var url: String?
        /// Why it is not ready.
        public var reason: String?

        public init(name: String, state: String, url: String?, reason: String? = nil) {
            self.name = name
            self.state = state
            self.url = url
            self.reason = reason
        }
    }

    public init(project: String, services: [Service]) {
        self.project = project
        self.services = services
    }

    /// - Parameter problem: why this is shown in place of what was asked for.
    func document(_ form: Answer.Form, _ problem: String?) -> String {
        switch form {
        case .html: html(problem)
        case .text: text(problem)
        case .json: json(problem)
        }
    }

    private func html(_ problem: String?) -> String {
        var page = Answer.pageHead(project) + "<body>\n<h1>\(escaped(project))</h1>\n"
        if let problem { page += "<p>\(escaped(problem))</p>\n" }
        page += "<ul>\n"
        for service in services {
            let name = escaped(service.name)
            page += "<li>" + (service.url.map { "<a href=\"\(escaped($0))\">\(name)</a>" } ?? name)
            page += ": \(escaped(service.state))"
            if let reason = service.reason { page += "<br><small>\(escaped(reason))</small>" }
            page += "</li>\n"
        }
        return page + "</ul>\n<p><small>Answered by devmesh.</small></p>\n</body>\n</html>\n"
    }

    private func text(_ problem: String?) -> String {
        var page = problem.map { $0 + "\n" } ?? ""
        for service in services {
            page += "\(service.name): \(service.state)" + (service.url.map { ", \($0)" } ?? "")
            page += (service.reason.map { " (\(printable($0)))" } ?? "") + "\n"
        }
        return page
    }

    private func json(_ problem: String?) -> String {
        var document = "{"
        if let problem { document += "\"error\": {\"code\": \"not_found\", \"message\": \(jsonString(problem))}, " }
        document += "\"name\": \(jsonString(project)), \"services\": ["
        document += services.map { service in
            "{\"service\": \(jsonString(service.name)), \"state\": \(jsonString(service.state)), "
                + "\"url\": \(service.url.map(jsonString) ?? "null"), "
                + "\"reason\": \(service.reason.map(jsonString) ?? "null")}"
        }.joined(separator: ", ")
        return document + "]}\n"
    }
}
