//! Typed indices of a plan's checks, questions and toolchains.

use std::marker::PhantomData;
use std::ops::{Index, IndexMut};

/// An index into a [`Table`].
pub(crate) trait Id: Copy {
    /// The id of the row at this position.
    fn at(place: usize) -> Self;
    /// The position of the row.
    fn place(self) -> usize;
}

/// Makes a type of ids.
macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub(crate) struct $name(usize);

        impl $crate::plan::ids::Id for $name {
            fn at(place: usize) -> Self {
                $name(place)
            }

            fn place(self) -> usize {
                self.0
            }
        }

        /// The form that generated sources use in names.
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

pub(crate) use id;

id! {
    /// A check, by its position in the request.
    CheckId
}
id! {
    /// A question, which several checks may share.
    QuestionId
}
id! {
    /// A toolchain, in the order in which checks first use it.
    ToolchainId
}

/// Rows that are indexed by a type of id.
#[derive(Debug, Clone)]
pub(crate) struct Table<I, T> {
    rows: Vec<T>,
    id: PhantomData<I>,
}

impl<I: Id, T> Table<I, T> {
    /// Adds a row and returns its id.
    pub(crate) fn push(&mut self, row: T) -> I {
        self.rows.push(row);
        I::at(self.rows.len() - 1)
    }

    /// The number of rows.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// All ids, in order.
    pub(crate) fn ids(&self) -> impl DoubleEndedIterator<Item = I> + use<I, T> {
        (0..self.rows.len()).map(I::at)
    }

    /// All rows, in order.
    pub(crate) fn iter(&self) -> std::slice::Iter<'_, T> {
        self.rows.iter()
    }

    /// All rows with their ids.
    pub(crate) fn enumerate(&self) -> impl Iterator<Item = (I, &T)> {
        self.rows.iter().enumerate().map(|(place, row)| (I::at(place), row))
    }

    /// A table of the same length whose rows are made from the rows of this one.
    pub(crate) fn map<U>(&self, row: impl FnMut(&T) -> U) -> Table<I, U> {
        self.rows.iter().map(row).collect()
    }
}

impl<I, T> Default for Table<I, T> {
    fn default() -> Self {
        Table { rows: Vec::new(), id: PhantomData }
    }
}

impl<I, T> FromIterator<T> for Table<I, T> {
    fn from_iter<R: IntoIterator<Item = T>>(rows: R) -> Self {
        Table { rows: rows.into_iter().collect(), id: PhantomData }
    }
}

impl<I, T> IntoIterator for Table<I, T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.rows.into_iter()
    }
}

impl<'a, I, T> IntoIterator for &'a Table<I, T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.rows.iter()
    }
}

impl<I: Id, T> Index<I> for Table<I, T> {
    type Output = T;

    fn index(&self, id: I) -> &T {
        &self.rows[id.place()]
    }
}

impl<I: Id, T> IndexMut<I> for Table<I, T> {
    fn index_mut(&mut self, id: I) -> &mut T {
        &mut self.rows[id.place()]
    }
}
