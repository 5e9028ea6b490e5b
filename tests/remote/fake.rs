//! A server of the test's own, which speaks HTTP and misbehaves on request.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What the server does instead of sending what was asked for.
#[derive(Debug, Clone)]
pub enum Fault {
    /// Nothing: it sends that.
    None,
    /// It never answers.
    Silent,
    /// It sends only a part of that.
    Cut,
    /// It sends this.
    Other(Vec<u8>),
    /// It says that a gigabyte comes, and sends zeros.
    Huge,
    /// It says something that is not HTTP.
    Noise,
    /// It refuses.
    Status(u16),
}

/// A server that keeps what is put there.
#[derive(Clone)]
pub struct Fake {
    pub url: String,
    pub things: Arc<Mutex<HashMap<String, Vec<u8>>>>,
    fault: Arc<Mutex<Fault>>,
    /// Connections that are to stay open.
    open: Arc<Mutex<Vec<TcpStream>>>,
}

impl Fake {
    /// Starts one, which lives as long as the process.
    pub fn start() -> Fake {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/tryall", listener.local_addr().unwrap());
        let fault = Arc::new(Mutex::new(Fault::None));
        let fake = Fake { url, things: Arc::default(), fault, open: Arc::default() };
        let server = fake.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let server = server.clone();
                std::thread::spawn(move || drop(server.serve(stream)));
            }
        });
        fake
    }

    /// From now on, it does this.
    pub fn misbehave(&self, fault: Fault) {
        *self.fault.lock().unwrap() = fault;
    }

    fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream.try_clone()?);
        let (mut first, mut length) = (String::new(), 0);
        reader.read_line(&mut first)?;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            match line.trim_end().split_once(": ") {
                Some(("Content-Length", value)) => length = value.parse().unwrap(),
                Some(_) => {}
                None => break,
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
        let fault = self.fault.lock().unwrap().clone();
        let mut reply = |status: &str, length: usize, body: &[u8]| {
            let head = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n");
            stream.write_all(head.as_bytes())?;
            stream.write_all(body)?;
            stream.shutdown(Shutdown::Write)
        };
        if first.starts_with("PUT") {
            self.things.lock().unwrap().insert(path, body);
            return reply("201 Created", 0, &[]);
        }
        let thing = self.things.lock().unwrap().get(&path).cloned();
        match (fault, thing) {
            (Fault::Silent, _) => self.open.lock().unwrap().push(stream),
            (Fault::Noise, _) => stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n")?,
            (Fault::Status(status), _) => reply(&format!("{status} No"), 0, &[])?,
            (Fault::Huge, _) => reply("200 OK", 1 << 30, &vec![0; 8 << 20])?,
            (Fault::Other(thing), _) => reply("200 OK", thing.len(), &thing)?,
            (_, None) => reply("404 Not Found", 0, &[])?,
            (Fault::Cut, Some(thing)) => reply("200 OK", thing.len(), &thing[..thing.len() / 2])?,
            (Fault::None, Some(thing)) => reply("200 OK", thing.len(), &thing)?,
        }
        Ok(())
    }

    /// The only thing that was put there.
    pub fn thing(&self) -> Vec<u8> {
        let things = self.things.lock().unwrap();
        assert_eq!(things.len(), 1);
        things.values().next().unwrap().clone()
    }

    /// How much was put there.
    pub fn count(&self) -> usize {
        self.things.lock().unwrap().len()
    }
}
