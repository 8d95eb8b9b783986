use super::*;

fn problems(text: &str) -> Vec<(usize, String)> {
    let list = Config::parse(text, Path::new("/etc/postern")).unwrap_err();
    list.into_iter()
        .map(|problem| (problem.line, problem.message))
        .collect()
}

#[test]
fn an_empty_file_holds_every_default() {
    let config = Config::without_file();
    assert_eq!(config.listen.data.to_string(), "127.0.0.1:8080");
    assert_eq!(config.listen.admin.to_string(), "127.0.0.1:8081");
    assert!(config.tls.is_none() && config.trust.proxies.is_empty());
}

#[test]
fn every_mistake_is_reported_at_once_with_its_line() {
    // Goal: one run of `check` shows all there is to mend. Method: a file with one mistake of each
    // sort, and the lines they stand on.
    let text = "[listen]\n\
                data = \"localhost\"\n\
                admn = \"127.0.0.1:1\"\n\
                [audit]\n\
                durability = \"maybe\"\n\
                checkpoint_interval = 5\n\
                [trust]\n\
                proxies = [\"10.0.0.0/8\", \"everybody\"]\n\
                [tls]\n\
                key = \"key.pem\"\n\
                [limits]\n\
                request_body = \"10 MB\"\n\
                drain = \"2h\"\n\
                [stroe]\n\
                url = \"x\"\n";
    let found = problems(text);
    let lines: Vec<usize> = found.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [2, 3, 5, 6, 8, 10, 12, 13, 14], "{found:#?}");
    let message = |line: usize| &found.iter().find(|(at, _)| *at == line).unwrap().1;
    assert!(message(3).contains("did you mean admin?"), "{}", message(3));
    assert!(message(5).contains("\"buffered\" or \"durable\""));
    assert!(message(10).contains("certificate is missing"));
    assert!(message(12).contains("10 MiB"));
    assert!(message(14).contains("did you mean store?"));
}

#[test]
fn broken_toml_is_reported_beside_the_rest() {
    let found = problems("[listen]\ndata = \n[audit]\ndurability = \"no\"\n");
    assert!(found.iter().any(|(line, _)| *line == 2), "{found:?}");
    assert!(
        found
            .iter()
            .any(|(line, why)| *line == 4 && why.contains("durability")),
        "{found:?}"
    );
}

#[test]
fn plain_http_beyond_loopback_has_to_be_asked_for() {
    let found = problems("[listen]\ndata = \"0.0.0.0:8080\"\n");
    assert_eq!(found[0].0, 2);
    assert!(found[0].1.contains("plain_http_anywhere"));
    let read = |text| Config::parse(text, Path::new("."));
    assert!(read("[listen]\ndata = \"0.0.0.0:80\"\nplain_http_anywhere = true\n").is_ok());
    let tls = "[listen]\ndata = \"0.0.0.0:443\"\n[tls]\ncertificate = \"c\"\nkey = \"k\"\n";
    assert!(read(tls).is_ok());
}

#[test]
fn paths_are_relative_to_the_file() {
    let text = "[tls]\ncertificate = \"tls/c.pem\"\nkey = \"/keys/k.pem\"\n\
                [store]\nurl = \"sqlite:state.db\"\n";
    let config = Config::parse(text, Path::new("/etc/postern")).unwrap();
    let tls = config.tls.unwrap();
    assert_eq!(tls.certificate, Path::new("/etc/postern/tls/c.pem"));
    assert_eq!(tls.key, Path::new("/keys/k.pem"));
    assert_eq!(
        config.store.sqlite.unwrap(),
        Path::new("/etc/postern/state.db")
    );
}

#[test]
fn a_proxy_that_is_everybody_is_refused() {
    let found = problems("[trust]\nproxies = [\"0.0.0.0/0\"]\n");
    assert!(found[0].1.contains("everybody"));
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_or_refused_without_panic(text in "[\\[\\]a-z_=\"\\n0-9. #]{0,200}") {
        let _ = Config::parse(&text, Path::new("."));
    }
}

#[test]
fn the_room_for_bodies_fits_the_largest_body() {
    let found = problems("[limits]\nrequest_body = \"200 MiB\"\n");
    assert_eq!(found[0].0, 2);
    assert!(found[0].1.contains("request_bodies"), "{}", found[0].1);
    let both = "[limits]\nrequest_body = \"200 MiB\"\nrequest_bodies = \"400 MiB\"\n";
    let config = Config::parse(both, Path::new(".")).unwrap();
    assert_eq!(config.limits.request_bodies_bytes, 400 << 20);
    assert_eq!(
        Config::without_file().limits.request_bodies_bytes,
        postern_guard::GuardBounds::default().body_bytes_max
    );
}
