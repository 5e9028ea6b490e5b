//! The signals that ask this program to end.

use std::io;

use nix::sys::signal::{SigHandler, SigSet, SigmaskHow, Signal};
use tokio::signal::unix::{SignalKind, signal};

/// The signals that ask a program to end.
const TERMINATION_SIGNALS: [Signal; 4] =
    [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT];

/// Waits for a signal that asks this program to end, and returns its number. From the first call
/// on, such signals have no other effect until [`HeldBack::let_through`].
pub(crate) async fn interrupted() -> io::Result<i32> {
    tokio::select! {
        signal = received(SignalKind::interrupt()) => signal,
        signal = received(SignalKind::terminate()) => signal,
        signal = received(SignalKind::hangup()) => signal,
        signal = received(SignalKind::quit()) => signal,
    }
}

/// Waits for a signal. Waits forever if the caller ignores the signal, as `nohup` does, and as the
/// shell does for background processes.
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
    // SAFETY: a null pointer for the new action changes nothing; the other pointer is to a live
    // variable.
    let result = unsafe { libc::sigaction(number, std::ptr::null(), &raw mut action) };
    nix::errno::Errno::result(result)?;
    Ok(action.sa_sigaction == libc::SIG_IGN)
}

/// Signals that are held back until an operation that must not be interrupted is done.
#[must_use = "the signals stay blocked until they are let through"]
#[derive(Debug)]
pub(crate) struct HeldBack {
    before: SigSet,
}

/// Holds back the signals that ask this program to end. They stay pending.
pub(crate) fn hold_interrupts() -> HeldBack {
    let before = SigSet::from_iter(TERMINATION_SIGNALS).thread_swap_mask(SigmaskHow::SIG_BLOCK);
    HeldBack { before: before.expect("the signal set and the operation are valid") }
}

impl HeldBack {
    /// Restores the default action: such a signal now ends the program, including one that is
    /// pending, unless the caller ignores it. tokio's handlers outlive its runtime, and would
    /// swallow the signal.
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

/// Turns a write beyond the limit on file sizes into an error that can be reported. Programs do not
/// inherit a handler, unlike an ignored signal.
pub(crate) fn survive_file_size_limit() {
    if is_ignored(libc::SIGXFSZ).is_ok_and(|ignored| !ignored) {
        // SAFETY: the handler does nothing, which is safe at any time.
        let _ =
            unsafe { nix::sys::signal::signal(Signal::SIGXFSZ, SigHandler::Handler(do_nothing)) };
    }
}

/// Blocks all signals in this thread, so that other threads get them. A signal delivered to a
/// thread that does not hold it back would not be held back at all.
pub(crate) fn leave_signals_to_others() {
    let _ = SigSet::all().thread_block();
}
