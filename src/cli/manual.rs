//! The manual page: one page for the program and all of its commands.

use clap::{Command, CommandFactory};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

/// The page, in roff.
pub(super) fn page() -> Vec<u8> {
    let mut program = super::Cli::command();
    program.build();
    let commands = || {
        program
            .get_subcommands()
            .filter(|command| command.get_name() != "help" && !command.is_hide_set())
    };
    let man = Man::new(program.clone());
    let mut page = Vec::new();
    man.render_title(&mut page).expect("memory takes all");
    man.render_name_section(&mut page).expect("memory takes all");
    page.extend(description(&program));
    let mut list = Roff::new();
    list.control("SH", ["COMMANDS"]);
    for command in commands() {
        list.control("TP", []);
        list.text([bold(format!("tryall {}", command.get_name()))]);
        list.text([roman(command.get_about().map(ToString::to_string).unwrap_or_default())]);
    }
    page.extend(rendered(&list));
    page.extend(sections_of_help(&program));
    for command in commands() {
        let mut heading = Roff::new();
        heading.control("SH", [format!("TRYALL {}", command.get_name().to_uppercase()).as_str()]);
        page.extend(rendered(&heading));
        let sections = [description(command), sections_of_help(command)].concat();
        page.extend(String::from_utf8_lossy(&sections).replace(".SH ", ".SS ").into_bytes());
    }
    page
}

/// Synopsis, description and options. The description includes the text before the first heading
/// of the `after_help` text.
fn description(command: &Command) -> Vec<u8> {
    let man = Man::new(command.clone());
    let mut page = Vec::new();
    man.render_synopsis_section(&mut page).expect("memory takes all");
    man.render_description_section(&mut page).expect("memory takes all");
    let help = help(command);
    let mut more = Roff::new();
    for paragraph in help.split("\n\n").take_while(|paragraph| heading(paragraph).is_none()) {
        more.control("PP", []);
        more.text([roman(paragraph.replace('\n', " "))]);
    }
    page.extend(rendered(&more));
    man.render_options_section(&mut page).expect("memory takes all");
    page
}

/// The sections of a help text that have a heading, such as "Exit status:", with their line breaks.
fn sections_of_help(command: &Command) -> Vec<u8> {
    let mut sections = Roff::new();
    let help = help(command);
    for paragraph in help.split("\n\n") {
        let Some((name, lines)) = heading(paragraph) else { continue };
        sections.control("SH", [name.to_uppercase().as_str()]);
        sections.control("nf", []);
        lines.lines().for_each(|line| {
            sections.text([roman(line)]);
        });
        sections.control("fi", []);
    }
    rendered(&sections)
}

fn help(command: &Command) -> String {
    command.get_after_help().map(ToString::to_string).unwrap_or_default()
}

/// Splits a paragraph into its heading and the indented lines below.
fn heading(paragraph: &str) -> Option<(&str, &str)> {
    let (first, lines) = paragraph.split_once('\n')?;
    let is_indented = lines.lines().all(|line| line.starts_with("  "));
    first.strip_suffix(':').filter(|_| is_indented).map(|name| (name, lines))
}

fn rendered(roff: &Roff) -> Vec<u8> {
    roff.to_roff().into_bytes()
}
