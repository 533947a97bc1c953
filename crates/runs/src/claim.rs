//! Claims keep two workers from doing the same run. They save work; they are not needed for correctness, because
//! two writers of one run write identical bytes.

use crate::RunsError;
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::SystemTime;

/// Who made a claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// Name of the host.
    pub host: String,
    /// Process on that host.
    pub pid: u32,
}

/// A claim that is held as long as this value lives.
///
/// The file `claim.<n>` is made by an exclusive link, holds the [`Owner`], is locked while its owner lives
/// and is never deleted; who takes over makes `claim.<n+1>`.
#[derive(Debug)]
pub struct Claim {
    locked: File,
    path: PathBuf,
}

/// What an attempt to claim a run gave.
#[derive(Debug)]
pub enum Claimed {
    /// It is ours.
    Ours(Claim),
    /// Somebody who is not known to be gone has it.
    Held(Owner),
}

impl Claim {
    /// The claim as the standard input of a process, which reads as empty: the claim is then held as long as
    /// this value or that process lives.
    ///
    /// # Errors
    /// When the system has no file handle left.
    pub fn as_stdin(&self) -> Result<Stdio, RunsError> {
        let shared = self.locked.try_clone().map_err(|e| RunsError::io("share", &self.path, e))?;
        Ok(Stdio::from(shared))
    }

    /// The owner of the run in `dir` as seen from `host`; `None` when its last owner is known to be gone.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn holder(dir: &Path, host: &str) -> Result<Option<Owner>, RunsError> {
        match newest(dir)? {
            Some(number) => living_owner(&path_of(dir, number), host),
            None => Ok(None),
        }
    }

    /// Shows observers on other hosts that this owner is alive.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn beat(&self) -> Result<(), RunsError> {
        self.locked.set_modified(SystemTime::now()).map_err(|e| RunsError::io("touch", &self.path, e))
    }

    /// Claims the run in `dir` for this process on `host`.
    ///
    /// An earlier claim of the same host is taken over when its lock is free, for the system frees the lock
    /// of a process that died. A claim of another host stands: over a shared file system locks cannot be
    /// trusted.
    ///
    /// # Errors
    /// When the directory cannot be read or written.
    pub fn acquire(dir: &Path, host: &str) -> Result<Claimed, RunsError> {
        Self::acquire_unless(dir, host, &|_| false)
    }

    /// As [`Self::acquire`], but takes the run over from an owner whom the caller knows to be `gone`, such as
    /// one on another host that has shown no [`life_sign`] for long. Of several that take it over one does.
    ///
    /// # Errors
    /// As [`Self::acquire`].
    pub fn acquire_unless(
        dir: &Path,
        host: &str,
        gone: &dyn Fn(&Owner) -> bool,
    ) -> Result<Claimed, RunsError> {
        let first = newest(dir)?;
        loop {
            let newest = newest(dir)?;
            if let Some(number) = newest
                && let Some(owner) = living_owner(&path_of(dir, number), host)?
                // Take over only from the owner seen first: a newer one has just won the race and is alive.
                && !(newest == first && gone(&owner))
            {
                return Ok(Claimed::Held(owner));
            }
            let path = path_of(dir, newest.map_or(0, |n| n + 1));
            // Locked and written under a name of its own, then linked: nobody sees a half-made claim.
            let own = dir.join(format!("claim-of-{host}-{}.tmp", std::process::id()));
            let file = write_locked(&own, host)?;
            let linked = fs::hard_link(&own, &path);
            // The link is what counts; a left-over own name does no harm.
            let _ = fs::remove_file(&own);
            match linked {
                Ok(()) => return Ok(Claimed::Ours(Self { locked: file, path })),
                // Somebody was faster: look again.
                Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(RunsError::io("create", &path, e)),
            }
        }
    }
}

/// When a file of the run in `dir` last changed, its claims included: by the clock of whoever changed it, so
/// only whether it changes says something.
pub fn life_sign(dir: &Path) -> Option<SystemTime> {
    let entries = fs::read_dir(dir).ok()?.filter_map(Result::ok);
    entries.filter_map(|entry| entry.metadata().ok()?.modified().ok()).max()
}

fn write_locked(path: &Path, host: &str) -> Result<File, RunsError> {
    let open = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(path);
    let mut file = open.map_err(|e| RunsError::io("create", path, e))?;
    // A lock that the file system does not offer leaves the claim weaker, not the run unsafe.
    let _ = file.try_lock();
    let owner = Owner { host: host.to_owned(), pid: std::process::id() };
    let text = serde_json::to_vec(&owner).map_err(RunsError::json(path, "an owner"))?;
    file.write_all(&text).map_err(|e| RunsError::io("write", path, e))?;
    Ok(file)
}

fn path_of(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("claim.{number}"))
}

fn newest(dir: &Path) -> Result<Option<u64>, RunsError> {
    let mut newest = None;
    for entry in fs::read_dir(dir).map_err(|e| RunsError::io("list", dir, e))? {
        let name = entry.map_err(|e| RunsError::io("list", dir, e))?.file_name();
        let number = name.to_str().and_then(|n| n.strip_prefix("claim.")).and_then(|n| n.parse::<u64>().ok());
        newest = newest.max(number);
    }
    Ok(newest)
}

/// The owner of a claim, unless it is known to be gone.
fn living_owner(path: &Path, host: &str) -> Result<Option<Owner>, RunsError> {
    let file = File::open(path).map_err(|e| RunsError::io("open", path, e))?;
    let free = match file.try_lock_shared() {
        Ok(()) => true,
        Err(TryLockError::WouldBlock) => false,
        Err(TryLockError::Error(e)) => return Err(RunsError::io("lock", path, e)),
    };
    let text = fs::read(path).map_err(|e| RunsError::io("read", path, e))?;
    match serde_json::from_slice::<Owner>(&text) {
        Ok(owner) if owner.host == host => Ok((!free).then_some(owner)),
        Ok(owner) => Ok(Some(owner)),
        // Cut short by a full disk or a power cut: its writer is gone if the lock is free.
        Err(_) => Ok((!free).then_some(Owner { host: host.to_owned(), pid: 0 })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours(claimed: Claimed) -> Claim {
        match claimed {
            Claimed::Ours(claim) => claim,
            Claimed::Held(owner) => panic!("held by {owner:?}"),
        }
    }

    #[test]
    fn second_claim_on_a_held_run_names_the_owner() {
        let dir = tempfile::tempdir().unwrap();
        let _held = ours(Claim::acquire(dir.path(), "a").unwrap());
        match Claim::acquire(dir.path(), "a").unwrap() {
            Claimed::Held(owner) => assert_eq!(owner.pid, std::process::id()),
            Claimed::Ours(_) => panic!("two owners"),
        }
    }

    #[test]
    fn claim_of_a_process_that_is_gone_is_taken_over_under_the_next_number() {
        let dir = tempfile::tempdir().unwrap();
        drop(ours(Claim::acquire(dir.path(), "a").unwrap()));
        let _again = ours(Claim::acquire(dir.path(), "a").unwrap());
        assert!(dir.path().join("claim.0").exists() && dir.path().join("claim.1").exists());
    }

    #[test]
    fn claim_of_another_host_stands_whatever_its_lock_says() {
        let dir = tempfile::tempdir().unwrap();
        drop(ours(Claim::acquire(dir.path(), "far").unwrap()));
        assert!(matches!(Claim::acquire(dir.path(), "near").unwrap(), Claimed::Held(o) if o.host == "far"));
    }

    #[test]
    fn claim_of_an_owner_known_to_be_gone_is_taken_over_by_one_only() {
        let dir = tempfile::tempdir().unwrap();
        let far = ours(Claim::acquire(dir.path(), "far").unwrap());
        let gone = |owner: &Owner| owner.host == "far";
        let before = life_sign(dir.path()).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(20));
        far.beat().unwrap();
        assert!(life_sign(dir.path()).unwrap() > before);
        let near = ours(Claim::acquire_unless(dir.path(), "near", &gone).unwrap());
        let third = Claim::acquire_unless(dir.path(), "third", &gone).unwrap();
        assert!(matches!(third, Claimed::Held(owner) if owner.host == "near"));
        drop(near);
    }

    #[test]
    fn torn_claim_of_a_dead_writer_is_taken_over() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("claim.0"), "{\"host\":").unwrap();
        let _claim = ours(Claim::acquire(dir.path(), "a").unwrap());
    }
}
