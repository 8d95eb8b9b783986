use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use postern_types::Pepper;

use super::*;
use crate::random::SystemRandom;

struct Dirs {
    root: tempfile::TempDir,
}

impl Dirs {
    fn new() -> Self {
        Self {
            root: tempfile::tempdir().unwrap(),
        }
    }

    fn keys(&self) -> PathBuf {
        self.root.path().join("keys")
    }

    fn data(&self) -> PathBuf {
        self.root.path().join("data")
    }

    fn create(&self) -> KeyRing {
        KeyRing::create(&self.keys(), &self.data(), &SystemRandom::new()).unwrap()
    }

    fn open(&self) -> Result<KeyRing, KeyRingError> {
        KeyRing::open(&self.keys(), &self.data())
    }
}

fn env(name: &str) -> EnvName {
    EnvName::parse(name).unwrap()
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn pepper_versions(ring: &KeyRing, name: &str) -> Vec<u32> {
    let peppers = ring.peppers(&env(name)).unwrap();
    peppers.all.iter().map(Pepper::version).collect()
}

#[test]
fn keys_read_back_as_they_were_written() {
    let dirs = Dirs::new();
    let ring = dirs.create();
    ring.add_environment(&env("dev"), &SystemRandom::new())
        .unwrap();
    let version = ring
        .rotate_pepper(&env("dev"), &SystemRandom::new())
        .unwrap();
    assert_eq!(version, 2);
    let read_back = dirs.open().unwrap();
    assert_eq!(read_back.installation_id(), ring.installation_id());
    assert_eq!(read_back.environments(), [env("dev")]);
    assert_eq!(pepper_versions(&read_back, "dev"), [1, 2]);
    assert_eq!(
        read_back.peppers(&env("dev")).unwrap().current().version(),
        2
    );
    for domain in ["dev", INSTALLATION] {
        let (a, b) = (
            ring.audit_key(domain).unwrap(),
            read_back.audit_key(domain).unwrap(),
        );
        assert_eq!((a.version, &a.key), (b.version, &b.key));
        let same = read_back.audit_key_by_version(domain, 1).unwrap();
        assert_eq!(same.key, a.key);
        assert!(read_back.audit_key_by_version(domain, 2).is_err());
    }
    assert_eq!(read_back.audit_signing_seed(), ring.audit_signing_seed());
}

#[test]
fn files_are_readable_by_their_owner_only() {
    let dirs = Dirs::new();
    let ring = dirs.create();
    ring.add_environment(&env("dev"), &SystemRandom::new())
        .unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode(&dirs.keys()), 0o700);
    for file in ["installation.json", "dev.json", ".lock"] {
        assert_eq!(mode(&dirs.keys().join(file)), 0o600, "{file}");
    }
}

#[test]
fn keys_that_others_can_read_or_write_are_refused() {
    // Goal: one bit for anybody else is too much. Method: set each such bit on the directory and on
    // each file in turn.
    let dirs = Dirs::new();
    let ring = dirs.create();
    ring.add_environment(&env("dev"), &SystemRandom::new())
        .unwrap();
    let places = [
        (dirs.keys(), 0o700),
        (dirs.keys().join("installation.json"), 0o600),
        (dirs.keys().join("dev.json"), 0o600),
    ];
    for (path, good) in places {
        for bit in [0o040, 0o020, 0o010, 0o004, 0o002, 0o001] {
            set_mode(&path, good | bit);
            let refusal = dirs.open().unwrap_err();
            assert!(
                matches!(refusal, KeyRingError::Unsafe(_)),
                "{path:?} {bit:o}: {refusal}"
            );
            assert!(refusal.to_string().contains("chmod"), "{refusal}");
        }
        set_mode(&path, good);
    }
    assert!(dirs.open().is_ok());
}

#[test]
fn links_are_refused() {
    let dirs = Dirs::new();
    drop(dirs.create());
    let elsewhere = dirs.root.path().join("elsewhere");
    fs::rename(dirs.keys(), &elsewhere).unwrap();
    symlink(&elsewhere, dirs.keys()).unwrap();
    assert!(matches!(dirs.open(), Err(KeyRingError::Unsafe(_))));
    fs::remove_file(dirs.keys()).unwrap();
    fs::rename(&elsewhere, dirs.keys()).unwrap();
    let file = dirs.keys().join("installation.json");
    let moved = dirs.root.path().join("installation.json");
    fs::rename(&file, &moved).unwrap();
    symlink(&moved, &file).unwrap();
    assert!(matches!(dirs.open(), Err(KeyRingError::Unsafe(_))));
}

#[test]
fn keys_lie_apart_from_the_data() {
    // Goal: a copy of the data directory never holds the keys. Method: the keys in, at and around
    // it, plainly, through dots and through a link, when making them and when opening them.
    let dirs = Dirs::new();
    let (root, random) = (dirs.root.path(), SystemRandom::new());
    fs::create_dir(dirs.data()).unwrap();
    symlink(dirs.data(), root.join("link")).unwrap();
    let together = [
        (root.join("data/keys"), root.join("data")),
        (root.join("data"), root.join("data")),
        (root.join("keys"), root.join("keys/data")),
        (root.join("keys/../data/keys"), root.join("data")),
        (root.join("link/keys"), root.join("data")),
        (root.join("data/keys"), root.join("link")),
    ];
    fs::create_dir(root.join("keys")).unwrap();
    for (keys, data) in &together {
        let refusal = KeyRing::create(keys, data, &random).unwrap_err();
        assert!(
            matches!(refusal, KeyRingError::Unsafe(_)),
            "{keys:?} {data:?}: {refusal}"
        );
    }
    assert_eq!(
        fs::read_dir(dirs.data()).unwrap().count(),
        0,
        "something was left in the data"
    );
    fs::remove_dir(root.join("keys")).unwrap();
    drop(dirs.create());
    assert!(KeyRing::open(&dirs.keys(), root).is_err());
    // A name that only begins alike is another place.
    assert!(KeyRing::open(&dirs.keys(), &root.join("key")).is_ok());
}

#[test]
fn missing_keys_are_an_error_and_present_ones_are_not_written_over() {
    let dirs = Dirs::new();
    assert!(matches!(dirs.open(), Err(KeyRingError::Missing(_))));
    let id = dirs.create().installation_id().to_owned();
    let again = KeyRing::create(&dirs.keys(), &dirs.data(), &SystemRandom::new());
    assert!(matches!(again, Err(KeyRingError::AlreadyThere(_))));
    assert_eq!(dirs.open().unwrap().installation_id(), id);
    fs::remove_file(dirs.keys().join("installation.json")).unwrap();
    assert!(matches!(dirs.open(), Err(KeyRingError::Missing(_))));
}

#[test]
fn a_file_copied_to_make_another_environment_is_refused() {
    let dirs = Dirs::new();
    let ring = dirs.create();
    ring.add_environment(&env("dev"), &SystemRandom::new())
        .unwrap();
    let dev = fs::read_to_string(dirs.keys().join("dev.json")).unwrap();
    let prod = dirs.keys().join("prod.json");
    // As it is, it says whose it is; with the name changed, the keys are still the same.
    for text in [dev.clone(), dev.replace("\"dev\"", "\"prod\"")] {
        fs::write(&prod, text).unwrap();
        set_mode(&prod, 0o600);
        assert!(dirs.open().is_err());
    }
    let refusal = dirs.open().unwrap_err().to_string();
    assert!(refusal.contains("the same key"), "{refusal}");
}

#[test]
fn what_does_not_read_is_refused_without_showing_it() {
    // Goal: a damaged document is an error that names its place and shows no key. Method: damage a
    // document in every way that its checks know.
    let dirs = Dirs::new();
    drop(dirs.create());
    let path = dirs.keys().join("installation.json");
    let good = fs::read_to_string(&path).unwrap();
    let key = good
        .split("\"key\": \"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let damaged = [
        String::new(),
        good[..good.len() / 2].to_owned(),
        good.replace("\"format\": 1", "\"format\": 2"),
        good.replace("\"version\": 1", "\"version\": 0"),
        good.replace(key, &key[..20]),
        good.replace(key, "not base64 at all"),
        good.replace("\"audit_signing\"", "\"credential\""),
        good.replace("\"installation_id\"", "\"other\""),
        good.replace("\"domain\": \"installation\"", "\"domain\": \"dev\""),
    ];
    for text in damaged {
        assert_ne!(text, good);
        fs::write(&path, &text).unwrap();
        let refusal = dirs.open().unwrap_err();
        assert!(
            matches!(refusal, KeyRingError::Malformed { .. }),
            "{text}: {refusal}"
        );
        let refusal = refusal.to_string();
        assert!(refusal.contains("installation.json") && !refusal.contains(&key[..20]));
    }
    fs::write(&path, good).unwrap();
    fs::write(dirs.keys().join("notes.txt"), "a stray file").unwrap();
    assert!(matches!(dirs.open(), Err(KeyRingError::Unsafe(_))));
}

#[test]
fn two_rings_on_one_directory_do_not_undo_each_other() {
    // Goal: a second program does not lose the first one's keys. Method: both open, both change.
    let dirs = Dirs::new();
    let first = dirs.create();
    let random = SystemRandom::new();
    let second = dirs.open().unwrap();
    first.add_environment(&env("dev"), &random).unwrap();
    second.add_environment(&env("dev"), &random).unwrap();
    let key = |ring: &KeyRing| ring.audit_key("dev").unwrap().key;
    assert_eq!(key(&first), key(&second));
    assert_eq!(first.rotate_pepper(&env("dev"), &random).unwrap(), 2);
    assert_eq!(second.rotate_pepper(&env("dev"), &random).unwrap(), 3);
    assert_eq!(pepper_versions(&dirs.open().unwrap(), "dev"), [1, 2, 3]);
}

#[test]
fn variables_hold_the_same_keys() {
    let dirs = Dirs::new();
    let ring = dirs.create();
    let random = SystemRandom::new();
    ring.add_environment(&env("dev"), &random).unwrap();
    let variables: Vec<_> = ring
        .to_variables()
        .into_iter()
        .map(|(name, value)| (name, value.expose_str().unwrap().to_owned()))
        .collect();
    let names: Vec<_> = variables.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["POSTERN_KEYS_INSTALLATION", "POSTERN_KEYS_ENV_DEV"]);
    let from = KeyRing::from_variables(variables.clone()).unwrap();
    assert_eq!(from.installation_id(), ring.installation_id());
    assert_eq!(
        from.audit_key("dev").unwrap().key,
        ring.audit_key("dev").unwrap().key
    );
    // They cannot be added to, and what is there needs no adding.
    assert!(from.add_environment(&env("dev"), &random).is_ok());
    let prod = from.add_environment(&env("prod"), &random);
    assert!(matches!(prod, Err(KeyRingError::ReadOnly(_))));
    assert!(matches!(
        from.rotate_pepper(&env("dev"), &random),
        Err(KeyRingError::ReadOnly(_))
    ));

    let with = |name: &str, value: &str| {
        let mut changed = variables.clone();
        changed.push((name.to_owned(), value.to_owned()));
        KeyRing::from_variables(changed)
    };
    assert!(with("POSTERN_KEYS_ENV_PROD", &variables[1].1).is_err());
    assert!(with("POSTERN_KEYS_ENV_prod", &variables[1].1).is_err());
    assert!(with("POSTERN_KEYS_ENV_PROD", "%%%").is_err());
    assert!(with("HOME", "%%%").is_ok());
    let without = KeyRing::from_variables(variables[1..].to_vec());
    assert!(matches!(without, Err(KeyRingError::Missing(_))));
}

#[test]
fn keys_are_not_made_of_failed_randomness() {
    // Goal: no key is ever half random. Method: a source that fails after a few draws.
    struct Failing(std::sync::atomic::AtomicU32);
    impl Random for Failing {
        fn fill(&self, out: &mut [u8]) -> Result<(), RandomError> {
            out.fill(7);
            match self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
                0..3 => Ok(()),
                _ => Err(RandomError),
            }
        }
    }
    let dirs = Dirs::new();
    let failing = Failing(std::sync::atomic::AtomicU32::new(0));
    let refusal = KeyRing::create(&dirs.keys(), &dirs.data(), &failing);
    assert!(matches!(refusal, Err(KeyRingError::Random(_))));
    assert!(matches!(dirs.open(), Err(KeyRingError::Missing(_))));
}

#[test]
fn no_environment_takes_the_installations_name() {
    let ring = Dirs::new().create();
    let refusal = ring.add_environment(&env(INSTALLATION), &SystemRandom::new());
    assert!(matches!(refusal, Err(KeyRingError::Unsafe(_))));
}

#[test]
fn the_key_of_data_rules_is_each_environments_own_and_stays() {
    // Goal: a value keeps its label over restarts and rotations, and has another one in another
    // environment. Method: the key before and after, beside the keys it must not be.
    let dirs = Dirs::new();
    let ring = dirs.create();
    for name in ["dev", "prod"] {
        ring.add_environment(&env(name), &SystemRandom::new())
            .unwrap();
    }
    let key = ring.mask_key(&env("dev")).unwrap();
    assert_ne!(*key, *ring.mask_key(&env("prod")).unwrap());
    let domain = KeyDomain::Environment(env("dev"));
    for purpose in KeyPurpose::of(&domain) {
        let other = ring.key(&domain, *purpose, None).unwrap();
        assert_ne!(*key, *other.key, "{}", purpose.as_str());
    }
    ring.rotate_pepper(&env("dev"), &SystemRandom::new())
        .unwrap();
    assert_eq!(*key, *dirs.open().unwrap().mask_key(&env("dev")).unwrap());
    assert!(ring.mask_key(&env("other")).is_err());
}
