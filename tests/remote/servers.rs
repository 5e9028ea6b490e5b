//! Starts the servers.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use crate::support::{need, root};

/// A server, which ends with this.
pub struct Server {
    child: Child,
    port: u16,
    dir: tempfile::TempDir,
    /// Its address, without a user.
    pub url: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Waits for something that another process does.
pub fn wait_until(what: &str, mut is_done: impl FnMut() -> bool) {
    for _ in 0..1200 {
        if is_done() {
            return;
        }
        sleep(Duration::from_millis(100));
    }
    panic!("waited in vain until {what}");
}

/// A port that is free now.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Server {
    /// Starts one that listens where it is told. Another process may have taken the port first. `url` is
    /// its address, with `PORT` for the port.
    fn start(url: &str, command: impl Fn(u16, &tempfile::TempDir) -> Command) -> Server {
        for _ in 0..10 {
            let (port, dir) = (free_port(), tempfile::tempdir().unwrap());
            let mut command = command(port, &dir);
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            let mut child = command.spawn().unwrap();
            let mut is_running = true;
            wait_until("the server listens", || {
                is_running = child.try_wait().unwrap().is_none();
                !is_running || TcpStream::connect(("127.0.0.1", port)).is_ok()
            });
            if is_running {
                let url = url.replace("PORT", &port.to_string());
                return Server { child, port, dir, url };
            }
        }
        panic!("the server does not start");
    }

    /// Ends it.
    pub fn stop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Redis, with some options.
    pub fn redis(options: &[&str]) -> Server {
        let program = need("redis-server");
        let server = Server::start("redis://127.0.0.1:PORT/0", |port, dir| {
            let mut command = Command::new(&program);
            command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", ""]);
            command.arg("--dir").arg(dir.path()).args(options);
            command
        });
        server.checked()
    }

    /// Nginx, which takes files from whom it may, and a user who must give a password, if any.
    pub fn nginx(password: Option<&str>) -> Server {
        Server::nginx_with("http", |dir| match password {
            Some(password) => {
                let users = dir.join("users");
                fs::write(&users, format!("user:{{PLAIN}}{password}\n")).unwrap();
                format!("auth_basic store; auth_basic_user_file {};", users.display())
            }
            None => String::new(),
        })
    }

    /// Nginx with a version of TLS, a certificate and its key.
    #[cfg(feature = "tls")]
    pub fn nginx_with_tls(version: &str, [certificate, key]: &[PathBuf; 2]) -> Server {
        let (certificate, key) = (certificate.display(), key.display());
        Server::nginx_with("https", |_| {
            format!(
                "ssl_certificate {certificate}; ssl_certificate_key {key}; ssl_protocols {version};"
            )
        })
    }

    /// Nginx with more lines of configuration for the server, which may use a directory.
    fn nginx_with(scheme: &str, lines: impl Fn(&Path) -> String) -> Server {
        let ssl = if scheme == "https" { "ssl" } else { "" };
        Server::start(&format!("{scheme}://127.0.0.1:PORT/tryall"), |port, dir| {
            let lines = lines(dir.path());
            let dir = dir.path().display();
            let temp = ["proxy", "fastcgi", "uwsgi", "scgi"]
                .map(|name| format!("{name}_temp_path {dir}/temp;"))
                .join(" ");
            fs::create_dir_all(format!("{dir}/data/tryall")).unwrap();
            let text = format!(
                "user root; daemon off; master_process off; pid {dir}/pid; error_log {dir}/log;\n\
                 events {{}}\n\
                 http {{\n  access_log off; client_body_temp_path {dir}/temp; {temp}\n  \
                 server {{\n    listen 127.0.0.1:{port} {ssl}; root {dir}/data; {lines}\n    \
                 location / {{ dav_methods PUT; client_max_body_size 16m; }}\n  }}\n}}\n"
            );
            fs::write(format!("{dir}/nginx.conf"), text).unwrap();
            let mut command = Command::new(nginx());
            command.arg("-c").arg(format!("{dir}/nginx.conf"));
            command
        })
    }

    /// A server like Amazon's S3. Returns also the key that may use it.
    pub fn s3() -> (Server, [String; 2]) {
        let bin = root().join("target/venv-s3/bin");
        assert!(bin.join("moto_server").exists(), "moto is missing; run tests/install");
        let server = Server::start("http://127.0.0.1:PORT", |port, _| {
            let mut command = Command::new(bin.join("moto_server"));
            // So many requests need no signature: those of the script.
            command.args(["-p", &port.to_string()]).env("INITIAL_NO_AUTH_ACTION_COUNT", "4");
            command
        });
        let script = root().join("tests/remote/bucket.py");
        let output =
            Command::new(bin.join("python")).arg(script).arg(&server.url).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let words: Vec<_> = text.split_whitespace().map(str::to_owned).collect();
        let Ok(key) = <[String; 2]>::try_from(words) else { panic!("{output:?}") };
        (server, key)
    }

    /// The place of a host in an address, with a user before it.
    pub fn url_of(&self, login: &str) -> String {
        self.url.replace("127.0.0.1", &format!("{login}@127.0.0.1"))
    }

    /// The same server as one that speaks the protocol of Redis.
    fn checked(self) -> Server {
        wait_until("Redis has loaded", || {
            let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
            stream.write_all(b"PING\r\n").unwrap();
            let mut reply = [0; 64];
            let length = stream.read(&mut reply).unwrap();
            let reply = String::from_utf8_lossy(&reply[..length]).into_owned();
            reply.starts_with("+PONG") || reply.starts_with("-NOAUTH")
        });
        self
    }

    /// The files of nginx.
    pub fn files(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.dir.path().join("data/tryall")).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    }
}

/// The program; its directory is rarely on the path of users.
fn nginx() -> PathBuf {
    let found = which::which("nginx").ok();
    let found = found.or_else(|| Some(PathBuf::from("/usr/sbin/nginx")).filter(|it| it.exists()));
    found.unwrap_or_else(|| panic!("nginx is missing; run tests/install"))
}
