//! What the system says of this process.

/// Parts of a second in which the kernel counts processor time: `USER_HZ`, which is 100 on every
/// system that the gateway runs on (proc(5), `/proc/pid/stat`).
const TICKS_PER_SECOND: f64 = 100.0;

/// What the system says of this process, as far as it says so.
pub(super) struct Process {
    /// Seconds of processor time.
    pub(super) cpu_seconds: Option<f64>,
    /// Bytes of memory in use.
    pub(super) memory_bytes: Option<u64>,
    /// File descriptors that are open.
    pub(super) open_files: Option<u64>,
}

impl Process {
    /// Asks the system. It reads three files that are in memory.
    pub(super) fn look() -> Self {
        let read = |name: &str| std::fs::read_to_string(format!("/proc/self/{name}")).ok();
        let files = std::fs::read_dir("/proc/self/fd").ok();
        Self {
            cpu_seconds: read("stat").as_deref().and_then(cpu_seconds),
            memory_bytes: read("status").as_deref().and_then(memory_bytes),
            // The directory that is being read is one of them.
            open_files: files.map(|files| (files.count() as u64).saturating_sub(1)),
        }
    }
}

/// The fields after the name, which stands in brackets and may hold anything: `utime` and `stime`
/// are the twelfth and thirteenth of them.
fn cpu_seconds(stat: &str) -> Option<f64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace().skip(11);
    let user: u32 = fields.next()?.parse().ok()?;
    let system: u32 = fields.next()?.parse().ok()?;
    Some((f64::from(user) + f64::from(system)) / TICKS_PER_SECOND)
}

fn memory_bytes(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_words_are_read() {
        let stat = "42 (post) ern) S 1 42 42 0 -1 4194560 900 0 0 0 250 50 0 0 20 0 9 0 100 5 6";
        assert_eq!(cpu_seconds(stat), Some(3.0));
        assert_eq!(memory_bytes("Name:\tx\nVmRSS:\t  2048 kB\n"), Some(2 << 20));
        assert_eq!(cpu_seconds("odd"), None);
        assert_eq!(memory_bytes("VmRSS:\t x kB"), None);
    }

    #[test]
    fn this_process_has_memory_and_files() {
        let process = Process::look();
        assert!(process.memory_bytes.is_some_and(|bytes| bytes > 1 << 20));
        assert!(process.open_files.is_some_and(|files| files >= 3));
        assert!(process.cpu_seconds.is_some());
    }
}
