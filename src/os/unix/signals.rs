//! The signals that ask this program to end, and how long they are its own.

use std::io;

use nix::sys::signal::{SigHandler, SigSet, SigmaskHow, Signal};
use tokio::signal::unix::{SignalKind, signal};

/// What asks a program to end.
const TERMINATION_SIGNALS: [Signal; 4] = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT];

/// Waits for a signal that asks this program to end, and returns its number. Once this has been
/// waited for, such signals do nothing else until [`HeldBack::let_through`].
pub(crate) async fn interrupted() -> io::Result<i32> {
    tokio::select! {
        signal = received(SignalKind::interrupt()) => signal,
        signal = received(SignalKind::terminate()) => signal,
        signal = received(SignalKind::hangup()) => signal,
        signal = received(SignalKind::quit()) => signal,
    }
}

/// Waits for a signal: forever if the caller has it ignored, as `nohup` does, and the shell for
/// what runs in the background.
async fn received(kind: SignalKind) -> io::Result<i32> {
    if is_ignored(kind.as_raw_value())? {
        return std::future::pending().await;
    }
    signal(kind)?.recv().await;
    Ok(kind.as_raw_value())
}

fn is_ignored(number: i32) -> io::Result<bool> {
    // SAFETY: all zeros is a valid sigaction.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: a null pointer for the new action changes nothing, the other is to a live variable.
    let asked = unsafe { libc::sigaction(number, std::ptr::null(), &raw mut action) };
    nix::errno::Errno::result(asked)?;
    Ok(action.sa_sigaction == libc::SIG_IGN)
}

/// Signals that wait until what must not be cut short is done.
#[must_use = "they wait until they are let through"]
#[derive(Debug)]
pub(crate) struct HeldBack {
    before: SigSet,
}

/// Holds back the signals that ask this program to end. They are not lost.
pub(crate) fn hold_interrupts() -> HeldBack {
    let before = SigSet::from_iter(TERMINATION_SIGNALS).thread_swap_mask(SigmaskHow::SIG_BLOCK);
    HeldBack { before: before.expect("the set and what is done with it are valid") }
}

impl HeldBack {
    /// From here on such a signal simply ends the program, one that came meanwhile as well;
    /// unless the caller has it ignored. tokio's handlers stay after its runtime has gone, and
    /// would swallow it.
    pub(crate) fn let_through(self) {
        for signal in TERMINATION_SIGNALS {
            if is_ignored(signal as i32).is_ok_and(|ignored| !ignored) {
                // SAFETY: the default action runs no handler.
                let _ = unsafe { nix::sys::signal::signal(signal, SigHandler::SigDfl) };
            }
        }
        let _ = self.before.thread_set_mask();
    }
}

extern "C" fn do_nothing(_: libc::c_int) {}

/// Makes a write beyond the limit on the size of a file an error, which can be told. A handler, unlike
/// an ignored signal, is not passed on to the programs that are started.
pub(crate) fn survive_file_size_limit() {
    if is_ignored(libc::SIGXFSZ).is_ok_and(|ignored| !ignored) {
        // SAFETY: the handler does nothing, which is safe at any time.
        let _ =
            unsafe { nix::sys::signal::signal(Signal::SIGXFSZ, SigHandler::Handler(do_nothing)) };
    }
}

/// Leaves all signals to other threads. One that is delivered to a thread that does not hold
/// it back is not held back at all.
pub(crate) fn leave_signals_to_others() {
    let _ = SigSet::all().thread_block();
}
