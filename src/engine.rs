//! The engine: runs a request or a plan and returns the answers.

use std::future::Future;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::pin::{Pin, pin};
use std::rc::Rc;

use tokio::runtime::Runtime;
use tokio::task::LocalSet;

use crate::check::context::{Context, Observer};
use crate::check::recall::Memory;
use crate::exec::process::Runner;
use crate::exec::scratch::{self, Scratch};
use crate::exec::slots::{Inherited, Slots};
use crate::exec::trace::Span;
use crate::os::{self, Reaper};
use crate::plan::toolchain::Environment;
use crate::plan::{self, Origin, Plan};
use crate::protocol::code::{Code, Reason};
use crate::protocol::response::{Answer, Answers, Refusal, Response, Summary};
use crate::protocol::{BadRequest, Request, Seconds, VERSION, slips};
use crate::schedule;
use crate::store::{Place, Store};

/// How to run a request.
#[derive(Debug, Clone)]
pub struct Options {
    /// How many commands may run at once. Overrides the request's `jobs`. Without either, the
    /// number of cores.
    pub jobs: Option<NonZeroUsize>,
    /// The time limit of each check. Overrides the request's `timeout`.
    pub timeout: Option<Seconds>,
    /// The directory that relative paths of the request start from; the current directory if
    /// `None`.
    pub base: Option<PathBuf>,
    /// Whether checks may share commands where that provably keeps every answer.
    pub share: bool,
    /// Whether every check runs again, alone. An answer that differs becomes an error.
    pub verify: bool,
    /// The directory of the store, which keeps answers for later runs; without one, every question
    /// is asked. A store that cannot be used is no error.
    pub store: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Options { jobs: None, timeout: None, base: None, share: true, verify: false, store: None }
    }
}

/// Runs a request. The response is what `tryall check` prints: the answers, or why there are none.
///
/// The observer hears of each answer when it is final. This function blocks its thread and must not
/// be called inside a tokio runtime. It ignores make's jobserver. No signal stops it: if the process is
/// killed, running compilers may continue to their end. While it runs, SIGXFSZ and SIGCHLD have
/// handlers.
pub fn run(request: Request, options: &Options, observer: Rc<dyn Observer>) -> Response {
    match answers(request, options, observer, std::future::pending()) {
        Ok(answers) => Response::Answered(answers.expect("nothing stops the run").answers),
        Err(error) => Response::Refused(Refusal { version: VERSION, error }),
    }
}

/// The answers to a request, and when its commands ran.
pub(crate) struct Answered {
    /// The answers.
    pub(crate) answers: Answers,
    /// When each command ran.
    pub(crate) commands: Vec<Span>,
}

/// Runs a request until it is done or `stop` completes. `None` if it was stopped.
pub(crate) fn answers(
    request: Request,
    options: &Options,
    observer: Rc<dyn Observer>,
    stop: impl Future<Output = ()>,
) -> Result<Option<Answered>, BadRequest> {
    let (plan, jobs) = plan_of(request, options)?;
    let schedule = schedule::Options { share: options.share, verify: options.verify };
    let store = options.store.clone().map(|dir| Store::open(Place::at(dir)));
    let inherited = &Inherited::none();
    let launch = Launch { plan, jobs, inherited, schedule, records: true, store };
    let ran = Engine::new(false).map_err(cannot_run)?.run(launch, observer, stop, || ());
    Ok(match ran.end {
        End::Stopped(()) => None,
        End::Done { answers: results, summary, held: () } => {
            let answers = Answers { version: VERSION, results, summary };
            Some(Answered { answers, commands: ran.commands })
        }
    })
}

/// Plans a request.
pub(crate) fn plan_of(
    request: Request,
    options: &Options,
) -> Result<(Plan, Option<NonZeroUsize>), BadRequest> {
    let environment = Environment::of_process().map_err(no_directory)?;
    let base = options.base.clone().unwrap_or_default();
    let base = Rc::new(environment.dir.join(base));
    let origins = Origin::of_request(&request, &base);
    let jobs = options.jobs.or(request.jobs);
    let plan = plan_without_slips(plan::Input {
        request,
        origins,
        text: None,
        base: &base,
        timeout: options.timeout,
        environment: &environment,
    })?;
    Ok((plan, jobs))
}

/// Plans a request after refusing values that are certainly mistakes. The compiler would always
/// answer no to them.
pub(crate) fn plan_without_slips(input: plan::Input<'_>) -> Result<Plan, BadRequest> {
    for (name, toolchain) in &input.request.toolchains {
        slips::of_toolchain(toolchain)
            .map_err(|fault| Origin::of_toolchain(name).complaint(fault, input.text))?;
    }
    for (check, origin) in std::iter::zip(&input.request.checks, &input.origins) {
        let toolchain = input.request.toolchain_of(check).map(|(_, toolchain)| toolchain);
        let has_own_commands = toolchain.is_some_and(|toolchain| toolchain.compile.is_some());
        slips::of_check(check, has_own_commands)
            .map_err(|fault| origin.complaint(fault, input.text))?;
    }
    plan::plan(input)
}

/// The error for a process without a current directory.
pub(crate) fn no_directory(error: std::io::Error) -> BadRequest {
    let message = format!("the current directory cannot be used: {error}");
    BadRequest::whole(Code::InvalidEnvironment, message)
}

/// The error for a valid request whose checks could not run.
pub(crate) fn cannot_run(Reason { code, text }: Reason) -> BadRequest {
    BadRequest::whole(code, format!("the checks could not be run: {text}"))
}

/// Why the system denies this program a resource. The cause is usually a limit.
pub(crate) fn resource_error(error: std::io::Error) -> Reason {
    Reason::new(Code::of_start(&error, Code::LimitReached), error.to_string())
}

/// The resources of a run.
pub(crate) struct Engine {
    reaper: Option<std::io::Result<Reaper>>,
    scratch: Result<Scratch, Reason>,
    runtime: Runtime,
}

/// A plan and how to run it.
pub(crate) struct Launch<'a> {
    /// The plan.
    pub(crate) plan: Plan,
    /// How many commands may run at once, if the caller limits them.
    pub(crate) jobs: Option<NonZeroUsize>,
    /// The jobserver that this process inherited.
    pub(crate) inherited: &'a Inherited,
    /// How to schedule it.
    pub(crate) schedule: schedule::Options,
    /// Whether to record when each command ran.
    pub(crate) records: bool,
    /// The store, if answers are kept.
    pub(crate) store: Option<Store>,
}

/// A plan after its run.
pub(crate) struct Ran<S, H> {
    /// How it ended.
    pub(crate) end: End<S, H>,
    /// The plan.
    pub(crate) plan: Plan,
    /// When each command ran, if that was recorded.
    pub(crate) commands: Vec<Span>,
}

/// How a run ended.
pub(crate) enum End<S, H> {
    /// With its last answer.
    Done { answers: Vec<Answer>, summary: Summary, held: H },
    /// Because `stop` completed.
    Stopped(S),
}

impl Engine {
    /// Acquires the resources of a run. The reaper, which cleans up if this program is killed, is a
    /// fork, so this program must not have a second thread yet.
    pub(crate) fn new(with_reaper: bool) -> Result<Self, Reason> {
        os::check_descriptor_limit().map_err(resource_error)?;
        os::survive_file_size_limit();
        let place = scratch::choose();
        let reaper = place.as_ref().ok().filter(|_| with_reaper).map(|place| Reaper::new(place));
        let scratch = place.and_then(Scratch::new);
        if let (Err(_), Some(Ok(reaper))) = (&scratch, &reaper) {
            // The directory belongs to somebody else.
            reaper.remove_nothing();
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        Ok(Engine { reaper, scratch, runtime: runtime.map_err(resource_error)? })
    }

    /// Runs a plan until its end or until `stop` completes, and cleans up. `hold` is called when
    /// the last answer is final, before `stop` is polled one last time.
    pub(crate) fn run<S, H>(
        self,
        launch: Launch<'_>,
        observer: Rc<dyn Observer>,
        stop: impl Future<Output = S>,
        hold: impl FnOnce() -> H,
    ) -> Ran<S, H> {
        let Engine { reaper, scratch, runtime } = self;
        let (slots, warning) = Slots::new(launch.jobs, launch.inherited);
        let reaper = match reaper {
            Some(Err(error)) => {
                observer
                    .notice(&format!("if tryall is killed, compilers may keep running: {error}"));
                None
            }
            reaper => reaper.and_then(Result::ok),
        };
        if let Some(warning) = warning {
            observer.notice(&warning);
        }
        let runner = Runner::new(reaper.map(Rc::new));
        let runner = if launch.records { runner.recording() } else { runner };
        let memory = launch.store.map(|store| Rc::new(Memory::new(store)));
        let scratch = Rc::new(scratch);
        let context = Context::new(launch.plan, runner, scratch, observer, memory.clone());
        let context = Rc::new(context);
        if !launch.schedule.share {
            context.links.distrust();
        }
        if let (Some(memory), Some(recall)) = (&memory, &context.recall) {
            // Of steps that ask about the same, most share their smallest key.
            let keys = || context.plan.questions.iter();
            let keys = || keys().filter_map(|question| recall.key_of(&context.plan, question));
            memory.begin_step(|| keys().min());
        }
        let running = run_until(&context, slots, launch.schedule, stop, hold);
        let end = LocalSet::new().block_on(&runtime, running);
        // Kill what is left of a stopped run and remove its files now: the results may have to wait
        // for their reader, and nothing else should wait with them.
        drop(runtime);
        let context = Rc::into_inner(context).expect("all tasks have ended");
        if let Some(complaint) = memory.as_ref().and_then(|memory| memory.commit()) {
            context.observer.notice(&complaint);
        }
        memory.iter().for_each(|memory| memory.share());
        let commands = context.runner.recorded();
        Ran { end, plan: context.plan, commands }
    }
}

async fn run_until<S, H>(
    context: &Rc<Context>,
    slots: Slots,
    options: schedule::Options,
    stop: impl Future<Output = S>,
    hold: impl FnOnce() -> H,
) -> End<S, H> {
    let mut running = pin!(schedule::run(context.clone(), slots, options));
    let mut stop = pin!(stop);
    let stopped = tokio::select! {
        done = &mut running => {
            let held = hold();
            if let Some(stopped) = if_ready(stop).await {
                return End::Stopped(stopped);
            }
            let (answers, summary) = done.expect("the run was not stopped");
            return End::Done { answers, summary, held };
        }
        stopped = &mut stop => stopped,
    };
    // Give compilers a moment to remove their own files.
    context.runner.stop();
    running.await;
    End::Stopped(stopped)
}

/// The value of a future if it is ready once the runtime has processed all pending events.
async fn if_ready<T>(mut future: Pin<&mut impl Future<Output = T>>) -> Option<T> {
    let look = async {
        // The runtime polls for events when a task yields. Yield again for the tasks that this
        // woke.
        tokio::task::yield_now().await;
        tokio::task::yield_now().await;
    };
    tokio::select! {
        biased;
        value = &mut future => Some(value),
        () = look => None,
    }
}
