//! How a server is reached: over TLS, with the bucket before the host, and with what a store says of encryption and of who pays.

use super::super::harness::{Call, Folder};
use super::http::{AUTHORITY, Kind};
use super::server::{Reach, Server};

/// A server with `t/x.parquet`, one row of 1, and an empty folder for a lake.
fn served(reach: &Reach) -> (Server, Folder) {
    let (server, folder) = (Server::start_as(reach, &["lake"]), Folder::new());
    server.put(&folder.parquet("x.parquet", "select 1 as x"), "lake/t/x.parquet");
    (server, folder)
}

/// A lake whose store `main` is at this address, with these keys of it.
fn lake(folder: &Folder, endpoint: &str, keys: &str) {
    folder.lake(&format!(
        "[store.main]\nurl = \"s3://lake/\"\nendpoint = \"{endpoint}\"\n{keys}\n[table.t]\npath = \"main:t/\"\n"
    ));
}

fn query(folder: &Folder, server: &Server) -> Call {
    folder.cxlake(["--format", "csv", "-c", "select sum(x) as x from t"]).on(server)
}

#[test]
fn a_certificate_of_the_house_is_trusted_with_the_file_of_its_authority() {
    let (server, folder) = served(&Reach::Tls);
    let endpoint = server.endpoint();
    let file = folder.write("house/authority.pem", AUTHORITY);

    lake(&folder, &endpoint, "");
    let said = query(&folder, &server).fails(1);
    let wanted = format!("error: cannot list `main:t/`: the certificate of `{endpoint}` is not trusted: ");
    assert!(said.starts_with(&wanted), "{said}");
    let hint = "\n\nhint: name the file of the authority that signed it: `ca_file` in the store, or AWS_CA_BUNDLE\n";
    assert!(said.ends_with(hint), "{said}");
    assert_eq!(server.requests().total(), 0, "nobody asks a server that is not trusted");

    assert_eq!(query(&folder, &server).env("AWS_CA_BUNDLE", &file).prints(), "x\n1\n");
    folder.write("aws", format!("[default]\nca_bundle = {}\n", file.display()));
    assert_eq!(query(&folder, &server).env("AWS_CONFIG_FILE", folder.at("aws")).prints(), "x\n1\n");
    lake(&folder, &endpoint, "ca_file = \"house/authority.pem\"");
    assert_eq!(query(&folder, &server).prints(), "x\n1\n");
    // What the machine trusts everywhere does not take away what the store does.
    let other = folder.write("other.pem", include_str!("tls/other.pem"));
    assert_eq!(query(&folder, &server).env("AWS_CA_BUNDLE", &other).prints(), "x\n1\n");

    lake(&folder, &endpoint, "ca_file = \"other.pem\"");
    assert!(query(&folder, &server).fails(1).contains("is not trusted: "));
    lake(&folder, &endpoint, "ca_file = \"cxlake.toml\"");
    let said = query(&folder, &server).fails(1);
    assert!(said.contains("there is no certificate in `") && said.contains("cxlake.toml`"), "{said}");
    lake(&folder, &endpoint, "ca_file = \"none.pem\"");
    let said = query(&folder, &server).fails(1);
    assert!(said.contains("cannot read the certificates in `") && said.contains("No such file"), "{said}");
}

#[test]
fn the_virtual_style_puts_the_bucket_before_the_host_and_signs_it() {
    // No name service knows this domain: the server is the proxy that leads to it.
    let (server, folder) = served(&Reach::Domain("s3.test"));
    let through = |call: Call| call.env("HTTP_PROXY", server.endpoint());
    let hosts = |before: super::server::Requests| {
        let asked = server.requests() - before;
        let mut hosts = [asked.header(Kind::List, "host"), asked.header(Kind::Get, "host")].concat();
        hosts.dedup();
        hosts.into_iter().map(|host| host.expect("a host").to_owned()).collect::<Vec<_>>()
    };
    for (style, host) in [("virtual", "lake.s3.test"), ("path", "s3.test")] {
        lake(&folder, "http://s3.test", &format!("style = \"{style}\""));
        let before = server.requests();
        let call = through(query(&folder, &server)).env("XDG_CACHE_HOME", folder.at(style));
        assert_eq!(call.prints(), "x\n1\n", "{style}");
        assert_eq!(hosts(before), [host], "{style}");
    }
}

#[test]
fn what_is_written_asks_for_the_encryption_of_its_store() {
    let (server, folder) = served(&Reach::Plain);
    let (kind, key) = ("x-amz-server-side-encryption", "x-amz-server-side-encryption-aws-kms-key-id");
    let of_kms = "encryption = \"sse-kms\"\nkms_key = \"alias/reports\"";
    for (keys, wanted) in [
        ("", (None, None)),
        ("encryption = \"sse-s3\"", (Some("AES256"), None)),
        ("encryption = \"sse-kms\"", (Some("aws:kms"), None)),
        (of_kms, (Some("aws:kms"), Some("alias/reports"))),
    ] {
        lake(&folder, &server.endpoint(), &format!("write = true\n{keys}"));
        let before = server.requests();
        folder.cxlake(["-c", "copy (select 1 as x) to 'main:out.parquet'"]).on(&server).prints();
        folder.cxlake(["-c", "select 1 as x", "-o", "main:out.csv"]).on(&server).prints();
        folder.cxlake(["doctor", "main"]).on(&server).prints();
        query(&folder, &server).prints();
        let asked = server.requests() - before;
        let said = |of: Kind| asked.header(of, kind).into_iter().zip(asked.header(of, key)).collect::<Vec<_>>();
        // What begins an upload says it; its one part and its end, where S3 does not want it, do not.
        let upload = [wanted, (None, None), (None, None)];
        assert_eq!(said(Kind::Upload), [upload, upload].concat(), "{keys}");
        assert_eq!(said(Kind::Put), [wanted, wanted], "{keys}");
        let read: Vec<_> = [Kind::List, Kind::Get].into_iter().flat_map(|of| asked.header(of, kind)).collect();
        assert_eq!((read.is_empty(), vec![None; read.len()]), (false, read), "{keys}");
    }
}

#[test]
fn whoever_asks_a_bucket_whose_reader_pays_says_so_with_every_request() {
    let (server, folder) = served(&Reach::Plain);
    for (keys, wanted) in [("", None), ("requester_pays = true", Some("requester"))] {
        lake(&folder, &server.endpoint(), &format!("write = true\n{keys}"));
        let before = server.requests();
        query(&folder, &server).prints();
        folder.cxlake(["-c", "select 1 as x", "-o", "main:out.csv"]).on(&server).prints();
        folder.cxlake(["-c", "select * from 'main:t/x.parquet'"]).on(&server).prints();
        folder.cxlake(["doctor", "main"]).on(&server).prints();
        let asked = server.requests() - before;
        for kind in [Kind::List, Kind::Head, Kind::Get, Kind::Put, Kind::Upload, Kind::Delete] {
            let said = asked.header(kind, "x-amz-request-payer");
            assert!(kind == Kind::Upload || !said.is_empty(), "{kind:?}");
            assert_eq!(said, vec![wanted; said.len()], "{keys}: {kind:?}");
        }
    }
}
