import Platform

/// What every proxy passes on to: this program as `SiteServer`.
struct Site {
    static let name = "site"
    static let greeting = "hello, world\n"
    static let fileSize = 1 << 20

    let port: Int
    let command: [String]

    init() throws(Malfunction) {
        port = try freePort()
        guard let program = ThisProcess.executablePath else { throw Malfunction("can't find this program") }
        command = [program, SiteServer.word, "\(port)"]
    }
}

/// A program that passes requests on, as an object of measurement.
struct ReverseProxy {
    var name: String
    var port: Int
    var processes: [Int32]

    /// Nanoseconds of processor time that it has used so far.
    var cpuTime: Double { processes.map { Double(ProcessTable.cpuTime(of: $0) ?? 0) }.reduce(0, +) }

    /// The front of the mesh's only service.
    static func devmesh(_ mesh: Mesh, service: String, _ options: Options) throws(Malfunction) -> ReverseProxy {
        guard let supervisor = mesh.supervisor, let port = mesh.fronts[service] else {
            throw Malfunction("the mesh has no front of \(service)")
        }
        return ReverseProxy(
            name: "devmesh", port: port, processes: ownProcesses(of: supervisor.pid, program: options.devmesh))
    }
}

/// A peer that was started for a measurement; must be ended.
struct Peer {
    let proxy: ReverseProxy
    private let program: Program

    /// nginx with one worker and its default buffers, connections kept alive on both sides.
    static func nginx(_ tools: ProxyTools, to upstream: Int, in folder: String) throws(Malfunction) -> Peer {
        let port = try freePort()
        let server = """
            map $http_upgrade $connection_upgrade { default upgrade; "" ""; }
            upstream site { server 127.0.0.1:\(upstream); keepalive 256; keepalive_requests 1000000000; }
            server {
                listen 127.0.0.1:\(port);
                location / {
                    proxy_pass http://site;
                    proxy_http_version 1.1;
                    proxy_set_header Upgrade $http_upgrade;
                    proxy_set_header Connection $connection_upgrade;
                }
            }
            """
        try writeFile(nginxConfiguration("front", server), to: folder + "/front.conf")
        return try Peer(
            "nginx", port, [tools.nginx, "-p", folder + "/", "-c", "front.conf", "-e", "stderr"], processes: 2,
            in: folder)
    }

    /// haproxy with one thread, connections kept alive and shared on both sides.
    static func haproxy(_ program: String, to upstream: Int, in folder: String) throws(Malfunction) -> Peer {
        let port = try freePort()
        let configuration = """
            global
                nbthread 1
            defaults
                mode http
                timeout client 600s
                timeout server 600s
                timeout connect 5s
                http-reuse always
            listen front
                bind 127.0.0.1:\(port)
                server site 127.0.0.1:\(upstream)

            """
        try writeFile(configuration, to: folder + "/haproxy.cfg")
        return try Peer("haproxy", port, [program, "-db", "-q", "-f", "haproxy.cfg"], processes: 1, in: folder)
    }

    private init(_ name: String, _ port: Int, _ command: [String], processes processCount: Int, in folder: String)
        throws(Malfunction)
    {
        let errors = "\(folder)/\(name).txt"
        program = try Program(command, environment: ThisProcess.environment, directory: folder, stderr: .file(errors))
        do throws(Malfunction) { try listening(port, program) } catch {
            let said = String(decoding: (try? Kernel.real.readFile(errors)) ?? [], as: UTF8.self)
            program.end()
            throw Malfunction("\(name): \(error.reason); it said: \(said)")
        }
        // nginx listens before it has started its worker.
        var processes = ownProcesses(of: program.pid, program: command[0])
        while processes.count < processCount, !program.hasEnded {
            pause(.milliseconds(1))
            processes = ownProcesses(of: program.pid, program: command[0])
        }
        proxy = ReverseProxy(name: name, port: port, processes: processes)
    }

    func end() { program.end() }
}

/// The programs that the measurement of the proxy needs.
struct ProxyTools {
    let nginx: String
    /// wrk, or what takes its arguments.
    let load: [String]
    let haproxy: String?
    let taskset: String?

    /// Keeps processes to one processor; false where that can't be done here.
    func place(_ processes: [Int32], on processor: Int) throws(Malfunction) -> Bool {
        guard let taskset, ThisProcess.processors > 1 else { return false }
        for pid in processes {
            let program = try Program(
                [taskset, "-a", "-c", "-p", "\(processor)", "\(pid)"], environment: ThisProcess.environment)
            guard program.wait().isSuccess else { return false }
        }
        return true
    }
}

/// The part that all of nginx's configurations share: one worker, nothing logged, connections never closed for age.
private func nginxConfiguration(_ name: String, _ server: String) -> String {
    let user = ThisProcess.userID == 0 ? "user root;\n" : ""
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map { "    \($0)_temp_path \(name)-\($0);\n" }
    return """
        \(user)daemon off;
        worker_processes 1;
        worker_rlimit_nofile \(ThisProcess.raiseOpenFiles().now);
        pid \(name).pid;
        error_log \(name).log;
        events { worker_connections 16384; }
        http {
            access_log off;
            sendfile on;
            keepalive_timeout 600s;
            keepalive_requests 1000000000;
        \(temporary.joined())
        \(server)
        }

        """
}

private func writeFile(_ text: String, to path: String) throws(Malfunction) {
    try attempt("can't write \(path)") { () throws(Errno) in
        try Kernel.real.writeAll(try Kernel.real.open(path, .createNew), text)
    }
}

/// A port below the ephemeral ones and apart from devmesh's own that nobody listens at.
func freePort() throws(Malfunction) -> Int {
    for _ in 0..<1000 {
        let port = Int.random(in: 8700..<9900)
        if (try? Kernel.real.listen(at: .loopback(port))) != nil { return port }
    }
    throw Malfunction("there is no free port between 8700 and 9900")
}

/// Waits until someone listens.
private func listening(_ port: Int, _ program: Program) throws(Malfunction) {
    while true {
        let socket = try attempt("can't make a socket") { () throws(Errno) in
            let socket = try Kernel.real.socket(for: .loopback(port))
            try Kernel.real.setNonblocking(socket, false)
            return socket
        }
        do throws(Errno) {
            _ = try Kernel.real.connect(socket, to: .loopback(port))
            return
        } catch {
            if program.hasEnded { throw Malfunction("it has ended") }
            pause(.milliseconds(1))
        }
    }
}
