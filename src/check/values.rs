//! Answers questions whose value is in the compiler's output files, or has to be searched for.

use crate::check::{Attempt, CheckRun, Outcome};
use crate::compiler::dialect::Stage;
use crate::compiler::value::{self, Found};
use crate::compiler::verdict::Verdict;
use crate::protocol::code::{Code, Reason};
use crate::protocol::response::Value;
use crate::source::{self, Comparison, Source};

impl CheckRun<'_> {
    /// Answers a question for an integer. Its value is in the object file; or in the program, if
    /// link-time optimization keeps it out of the object file; or has to be searched for.
    pub(crate) async fn integer(&self, source: Source) -> Outcome {
        let (found, mut outcome) = self.read_product(&source, value::integer).await;
        let number = match found {
            None => return outcome,
            Some(Found::Nothing) => match self.search_value(&source).await {
                Ok(number) => number,
                Err(error) => {
                    outcome.verdict = Verdict::Error(error);
                    return outcome;
                }
            },
            Some(Found::One(number)) => number,
            Some(Found::Several) => {
                outcome.verdict = Verdict::error(
                    Code::ValueUnreadable,
                    "the value differs between the target architectures of the compile; ask for \
                     each of them alone",
                );
                return outcome;
            }
            Some(Found::TooLarge) => {
                let text = "the value does not fit into 64 bits";
                outcome.verdict = Verdict::error(Code::ValueUnreadable, text);
                return outcome;
            }
        };
        outcome.value = serde_json::Number::from_i128(number).map(Value::Integer);
        outcome
    }

    /// Answers the question for the byte order, which is in the object file or in the program.
    pub(crate) async fn byte_order(&self, source: Source) -> Outcome {
        let (found, mut outcome) = self.read_product(&source, value::byte_order).await;
        match found {
            None => {}
            Some(Found::One(order)) => outcome.value = Some(Value::Text(order.into())),
            Some(_) => {
                let text = "the byte order cannot be read from the compiler's output files";
                outcome.verdict = Verdict::error(Code::ValueUnreadable, text);
            }
        }
        outcome
    }

    /// The value in the object file of a source, or else in its program. `None` if the source does
    /// not compile.
    async fn read_product<T: PartialEq>(
        &self,
        source: &Source,
        read: fn(&[u8]) -> Found<T>,
    ) -> (Option<Found<T>>, Outcome) {
        let name = match self.write(source) {
            Ok(name) => name,
            Err(why) => return (None, Outcome::error(why)),
        };
        let object = self.compile(Stage::Compile, &name).await;
        if object.verdict != Verdict::Yes {
            return (None, object.outcome(Some(source.clone())));
        }
        let found = read_value(&object, read);
        if found != Found::Nothing {
            return (Some(found), object.outcome(Some(source.clone())));
        }
        let program = self.compile(Stage::Link, &name).await;
        let found = if program.verdict == Verdict::Yes {
            read_value(&program, read)
        } else {
            Found::Nothing
        };
        (Some(found), object.outcome(Some(source.clone())))
    }

    /// Finds an integer by binary search, with sources that compile only if a comparison holds.
    async fn search_value(&self, source: &Source) -> Result<i128, Reason> {
        let unreadable = |text: &str| Err(Reason::new(Code::ValueUnreadable, text));
        if self.holds(source, Comparison::Impossible).await? {
            let text = "the compiler accepts a contradiction; check its arguments";
            return Err(Reason::new(Code::CompilerMisbehaved, text));
        }
        if !self.holds(source, Comparison::NotNegative).await? {
            let text = "the value is negative and cannot be read from the compiler's output files";
            return unreadable(text);
        }
        let (mut low, mut high) = (0i128, 1i128);
        while !self.holds(source, Comparison::AtMost(high)).await? {
            low = high + 1;
            high = high * 2 + 1;
            if high > i128::from(i64::MAX) {
                return unreadable("the value does not fit into 63 bits");
            }
        }
        while low < high {
            let middle = low + (high - low) / 2;
            if self.holds(source, Comparison::AtMost(middle)).await? {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        if !self.holds(source, Comparison::Is(low)).await? {
            return unreadable("the value cannot be read from the compiler's output files");
        }
        Ok(low)
    }

    /// Whether the integer of a source satisfies a comparison.
    async fn holds(&self, source: &Source, comparison: Comparison) -> Result<bool, Reason> {
        let source = source::comparison(source, self.toolchain.language, comparison);
        let name = self
            .write(&source)
            .map_err(|why| Reason::new(why.code, "the source could not be written"))?;
        match self.compile(Stage::Compile, &name).await.verdict {
            Verdict::Yes => Ok(true),
            Verdict::No => Ok(false),
            Verdict::Error(error) => Err(error),
        }
    }
}

fn read_value<T>(attempt: &Attempt, read: fn(&[u8]) -> Found<T>) -> Found<T> {
    let product = attempt.product.as_ref().expect("these stages write a file");
    value::read_product(product).map_or(Found::Nothing, |file| read(&file))
}
