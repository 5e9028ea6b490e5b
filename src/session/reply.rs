//! What CMake is told: a script that the function in the place of `try_compile` includes.

use std::io::Write;

/// A script in CMake's language.
#[derive(Debug, Default)]
pub(super) struct Script(Vec<u8>);

impl Script {
    /// Sets a variable of the including function.
    pub(super) fn set(&mut self, name: &str, value: &str) {
        self.line(format_args!("set({name} {})", quoted(value)));
    }

    /// Sets a variable of the function's caller.
    pub(super) fn set_for_caller(&mut self, name: &str, value: &str) {
        self.line(format_args!("set({} {} PARENT_SCOPE)", quoted(name), quoted(value)));
    }

    /// Sets a variable of the function's caller to what one of the function holds.
    pub(super) fn hand_on(&mut self, name: &str, from: &str) {
        self.line(format_args!("set({} \"${{{from}}}\" PARENT_SCOPE)", quoted(name)));
    }

    /// Sets a cache entry as CMake's commands do: if `uncovers`, a variable of the same name goes
    /// (policy CMP0126).
    pub(super) fn set_cache(&mut self, name: &str, value: &str, help: &str, uncovers: bool) {
        let name = quoted(name);
        self.line(format_args!("set({name} {} CACHE INTERNAL {})", value, quoted(help)));
        if uncovers {
            self.line(format_args!("unset({name} PARENT_SCOPE)"));
        }
    }

    /// Writes to the log of the configure step; also what a program did that has run.
    pub(super) fn log(&mut self, text: &str, has_run: bool) {
        let program = if has_run {
            " \"\nthe program ended with ${_tryall_ran}\n${_tryall_stdout}${_tryall_stderr}\""
        } else {
            ""
        };
        self.line(format_args!("message(CONFIGURE_LOG {}{program})", quoted(text)));
    }

    /// Makes the configure step depend on a file.
    pub(super) fn depend_on(&mut self, path: &str) {
        self.call(
            "set_property",
            &["DIRECTORY", "APPEND", "PROPERTY", "CMAKE_CONFIGURE_DEPENDS", path],
        );
    }

    /// Calls a command.
    pub(super) fn call<T: AsRef<str>>(&mut self, command: &str, args: &[T]) {
        self.line(format_args!("{}", call(command, args)));
    }

    /// Adds lines of CMake's language.
    pub(super) fn line(&mut self, line: std::fmt::Arguments<'_>) {
        writeln!(self.0, "{line}").expect("memory takes all");
    }

    /// Sets a variable of the including function to bytes in any encoding.
    pub(super) fn set_bytes(&mut self, name: &str, value: &[u8]) {
        self.0.extend_from_slice(format!("set({name} ").as_bytes());
        self.0.extend_from_slice(&quoted_bytes(value));
        self.0.extend_from_slice(b")\n");
    }

    /// The text, in which no bytes were set.
    pub(super) fn into_text(self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }

    /// The bytes of the text.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

/// A call of a command, with each argument as it is.
pub(super) fn call<T: AsRef<str>>(command: &str, args: &[T]) -> String {
    let args: Vec<_> = args.iter().map(|arg| quoted(arg.as_ref())).collect();
    format!("{command}({})", args.join(" "))
}

/// A text as one argument.
pub(super) fn quoted(text: &str) -> String {
    String::from_utf8(quoted_bytes(text.as_bytes())).expect("only ASCII was added")
}

/// The output of a program as one argument.
pub(super) fn quoted_bytes(bytes: &[u8]) -> Vec<u8> {
    let mut quoted = Vec::with_capacity(bytes.len() + 2);
    quoted.push(b'"');
    for byte in bytes {
        match byte {
            b'\\' => quoted.extend_from_slice(b"\\\\"),
            b'"' => quoted.extend_from_slice(b"\\\""),
            b'$' => quoted.extend_from_slice(b"\\$"),
            b'\r' => quoted.extend_from_slice(b"\\r"),
            // As CMake reads what programs write.
            0 => quoted.push(b' '),
            other => quoted.push(*other),
        }
    }
    quoted.push(b'"');
    quoted
}
