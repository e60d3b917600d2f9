//! What a program in a run may not do: Landlock for files and ports, seccomp for system calls that
//! nothing else keeps in.

use bulla::{Code, Error, Result};
use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, NetPort, PathBeneath, PathFd,
    Ruleset, RulesetAttr, RulesetCreatedAttr, Scope,
};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen as Len, SeccompCmpOp as Op, SeccompCondition,
    SeccompFilter, SeccompRule,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Which network a run has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Network {
    /// None at all.
    None,
    /// The machine's. The run then counts as *bare*.
    Host,
    /// TCP connections to these ports. The run then counts as *bare*.
    Tcp(Vec<u16>),
}

/// Least that Landlock must do: keep files apart, moved ones too. What later versions add, mount
/// and network namespaces see to as well.
const LEAST: ABI = ABI::V2;
const MOST: ABI = ABI::V6;

/// Devices that may be written to.
const DEVICES: [&str; 6] =
    ["/dev/null", "/dev/zero", "/dev/full", "/dev/tty", "/dev/ptmx", "/dev/pts"];

fn lacking(e: impl std::fmt::Display) -> Error {
    Error::new(Code::Unsupported, format!("this kernel lacks Landlock, or enough of it: {e}"))
}

fn ruleset(net: &Network, weaker: bool) -> Result<Ruleset> {
    let level = if weaker { CompatLevel::BestEffort } else { CompatLevel::HardRequirement };
    let mut rules = Ruleset::default()
        .set_compatibility(level)
        .handle_access(AccessFs::from_all(LEAST))
        .map_err(lacking)?
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(MOST))
        .and_then(|rules| rules.scope(Scope::from_all(MOST)))
        .map_err(lacking)?;
    if let Network::Tcp(_) = net {
        rules = rules
            .set_compatibility(level)
            .handle_access(AccessNet::from_all(MOST))
            .map_err(lacking)?;
    }
    Ok(rules)
}

/// Whether the kernel has what a run needs.
///
/// # Errors
/// [`Code::Unsupported`]
pub(crate) fn available(net: &Network) -> Result<()> {
    ruleset(net, false)?.create().map(drop).map_err(lacking)
}

/// Confines this process and all that it starts: reading anywhere, writing in these folders only.
pub(crate) fn confine(writable: &[PathBuf], net: &Network, weaker: bool) -> Result<()> {
    let mut rules = ruleset(net, weaker)?.create().map_err(lacking)?;
    let mut allow = |path: &Path, access| {
        let Ok(fd) = PathFd::new(path) else { return Ok(()) };
        let added = (&mut rules).add_rule(PathBeneath::new(fd, access));
        added.map(drop).map_err(lacking)
    };
    allow(Path::new("/"), AccessFs::from_read(MOST))?;
    for path in writable {
        allow(path, AccessFs::from_all(MOST))?;
    }
    for device in DEVICES {
        let file = AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::IoctlDev;
        let access = if Path::new(device).is_dir() { file | AccessFs::ReadDir } else { file };
        allow(Path::new(device), access)?;
    }
    if let Network::Tcp(ports) = net {
        for port in ports {
            (&mut rules).add_rule(NetPort::new(*port, AccessNet::ConnectTcp)).map_err(lacking)?;
        }
    }
    rules.restrict_self().map_err(lacking)?;
    filter_calls(net)
}

/// Calls that are answered with *not permitted*.
const FORBIDDEN: &[libc::c_long] = &[
    // Other processes.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    // What is shared with the rest of the machine: keyrings, shared memory, queues.
    libc::SYS_add_key,
    libc::SYS_keyctl,
    libc::SYS_request_key,
    libc::SYS_shmget,
    libc::SYS_shmat,
    libc::SYS_msgget,
    libc::SYS_mq_open,
    // What these rules do not see.
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    // Namespaces and mounts.
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsmount,
    libc::SYS_fsconfig,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_open_by_handle_at,
    // The machine.
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_syslog,
];

/// `x32`: the same calls under other numbers, on x86-64.
const X32: i64 = 0x4000_0000;

/// Calls that `x32` has under numbers of its own. Before Linux 5.4 they are called without its bit,
/// too; nothing else has these numbers.
#[cfg(target_arch = "x86_64")]
const X32_OWN: [(libc::c_long, i64); 7] = [
    (libc::SYS_ioctl, 514),
    (libc::SYS_sendmsg, 518),
    (libc::SYS_ptrace, 521),
    (libc::SYS_kexec_load, 528),
    (libc::SYS_sendmmsg, 538),
    (libc::SYS_process_vm_readv, 539),
    (libc::SYS_process_vm_writev, 540),
];
#[cfg(not(target_arch = "x86_64"))]
const X32_OWN: [(libc::c_long, i64); 0] = [];

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

fn condition(argument: u8, op: Op, value: u64) -> Result<SeccompCondition> {
    SeccompCondition::new(argument, Len::Dword, op, value).map_err(failed)
}

fn failed(e: impl std::fmt::Display) -> Error {
    Error::new(Code::Unsupported, format!("the filter of system calls: {e}"))
}

fn rules(net: &Network) -> Result<Rules> {
    let mut rules: Rules = FORBIDDEN.iter().map(|call| (*call, vec![])).collect();
    let rule = |conditions: Vec<SeccompCondition>| SeccompRule::new(conditions).map_err(failed);
    let namespaces = (libc::CLONE_NEWUSER
        | libc::CLONE_NEWNS
        | libc::CLONE_NEWPID
        | libc::CLONE_NEWNET
        | libc::CLONE_NEWIPC
        | libc::CLONE_NEWUTS
        | libc::CLONE_NEWCGROUP) as u64;
    let mut clone = Vec::new();
    for bit in (0..32).map(|bit| 1u64 << bit).filter(|bit| namespaces & bit != 0) {
        clone.push(rule(vec![condition(0, Op::MaskedEq(bit), bit)?])?);
    }
    rules.insert(libc::SYS_clone, clone);
    // Sockets of kinds that network namespaces do not keep in, such as those between machines.
    let families = [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK];
    let others = families.iter().map(|family| condition(0, Op::Ne, *family as u64));
    let mut socket = vec![rule(others.collect::<Result<_>>()?)?];
    if let Network::Tcp(_) = net {
        for family in [libc::AF_INET, libc::AF_INET6] {
            for kind in [libc::SOCK_DGRAM, libc::SOCK_RAW, libc::SOCK_SEQPACKET, libc::SOCK_DCCP] {
                socket.push(rule(vec![
                    condition(0, Op::Eq, family as u64)?,
                    condition(1, Op::MaskedEq(0xf), kind as u64)?,
                ])?);
            }
            // Landlock knows TCP alone, and not as a part of another protocol (MPTCP, SMC).
            socket.push(rule(vec![
                condition(0, Op::Eq, family as u64)?,
                condition(2, Op::Ne, 0)?,
                condition(2, Op::Ne, libc::IPPROTO_TCP as u64)?,
            ])?);
        }
        // Nor does it see who connects by sending, or waits on a port that the kernel chooses.
        let connects = libc::MSG_FASTOPEN as u64;
        for (call, flags) in
            [(libc::SYS_sendto, 3), (libc::SYS_sendmsg, 2), (libc::SYS_sendmmsg, 3)]
        {
            let connecting = condition(flags, Op::MaskedEq(connects), connects)?;
            rules.insert(call, vec![rule(vec![connecting])?]);
        }
        rules.insert(libc::SYS_listen, vec![]);
    }
    rules.insert(libc::SYS_socket, socket);
    // Typing on a terminal in somebody's name.
    let typing: [u64; 2] = [libc::TIOCSTI, 0x541c]; // the second is TIOCLINUX
    let typing = typing.iter().map(|call| rule(vec![condition(1, Op::Eq, *call)?]));
    rules.insert(libc::SYS_ioctl, typing.collect::<Result<_>>()?);
    Ok(rules)
}

/// The same for the calls under all their numbers.
fn with_x32(mut rules: Rules) -> Rules {
    for (call, own) in X32_OWN {
        if let Some(found) = rules.get(&call).cloned() {
            rules.insert(own, found);
        }
    }
    if cfg!(target_arch = "x86_64") {
        let doubles: Vec<_> = rules.iter().map(|(call, r)| (call | X32, r.clone())).collect();
        rules.extend(doubles);
    }
    rules
}

fn filter_calls(net: &Network) -> Result<()> {
    let arch = std::env::consts::ARCH.try_into().map_err(failed)?;
    // `clone3` has its flags where a filter cannot look; without it, `clone` is used.
    let clone3: Rules = [(libc::SYS_clone3, vec![])].into();
    for (rules, errno) in [(rules(net)?, libc::EPERM), (clone3, libc::ENOSYS)] {
        let answer = SeccompAction::Errno(errno as u32);
        let filter = SeccompFilter::new(with_x32(rules), SeccompAction::Allow, answer, arch)
            .map_err(failed)?;
        let program: BpfProgram = filter.try_into().map_err(failed)?;
        seccompiler::apply_filter(&program).map_err(failed)?;
    }
    Ok(())
}
