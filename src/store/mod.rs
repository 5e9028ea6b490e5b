//! Stub.
pub(crate) mod key;

use std::ffi::OsString;
use std::rc::Rc;

use crate::deps::sight::{Seen, Sights};
use crate::deps::world::World;
pub(crate) use key::Key;

#[derive(Debug)]
pub(crate) struct Store;
pub(crate) type Env = [(OsString, OsString)];
impl Store {
    pub(crate) fn open(_dir: &std::path::Path) -> Result<Self, String> {
        Err("stub".into())
    }
    pub(crate) fn of_user() -> Option<Self> {
        None
    }
    pub(crate) fn find(&mut self, _key: &Key, _world: &mut World, _env: &Env) -> Option<Rc<[u8]>> {
        None
    }
    pub(crate) fn keep(
        &mut self,
        _key: Key,
        _label: &str,
        _payload: Vec<u8>,
        _seen: &Seen,
        _sights: &Sights,
        _env: &Env,
    ) {
    }
    pub(crate) fn not_kept(&mut self, _key: Key, _label: &str, _why: &str) {}
    pub(crate) fn commit(self) {}
}
