import Platform

extension Sentences {
    /// Where the user's authority is, and how programs are made to trust it.
    static func trust(_ files: TLSAuthority.Files, isNew: Bool) -> String {
        let file = ShellText.quote(files.certificate)
        return """
            \(isNew ? "The certificate authority was made" : "There is a certificate authority already"): \
            \(files.certificate)
            The gateway of every mesh speaks https with it; it can issue for names of this machine only, and its key is \
            yours alone.

            Nothing trusts it yet by itself:
              curl      curl --cacert \(file) https://members.localhost:20000/
              programs  NODE_EXTRA_CA_CERTS, SSL_CERT_FILE or REQUESTS_CA_BUNDLE with that path
              Firefox   Settings, Certificates, View Certificates, Authorities, Import
              Chrome    certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n devmesh -i \(file)
              Debian    sudo cp \(file) /usr/local/share/ca-certificates/devmesh.crt && sudo update-ca-certificates
              macOS     security add-trusted-cert -r trustRoot -k ~/Library/Keychains/login.keychain-db \(file)
            """
    }
}
