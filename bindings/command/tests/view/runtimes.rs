//! Programs of languages that reach the kernel in ways of their own.

use crate::view::both::{Both, need, table};
use std::fs;
use std::path::Path;
use std::process::Command;

const GO: &str = r#"
package main

import (
	"bufio"
	"fmt"
	"os"
	"syscall"
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	in, err := os.Open("t.csv")
	must(err)
	info, err := in.Stat()
	must(err)
	mapped, err := syscall.Mmap(int(in.Fd()), 0, int(info.Size()), syscall.PROT_READ, syscall.MAP_SHARED)
	must(err)
	var sum, lines uint64
	for _, b := range mapped {
		sum = sum*31 + uint64(b)
	}
	out, err := os.Create("out")
	must(err)
	done := make(chan uint64)
	go func() {
		for s := bufio.NewScanner(in); s.Scan(); lines++ {
			fmt.Fprintln(out, "<"+s.Text()+">")
		}
		done <- lines
	}()
	fmt.Println(<-done, sum)
	must(out.Sync())
	must(out.Close())
}
"#;

/// On Mono and on .NET Core.
const CSHARP: &str = r#"
using System; using System.IO;
class P { static void Main() {
    var lines = File.ReadAllLines("t.csv"); Array.Sort(lines, StringComparer.Ordinal);
    File.WriteAllLines("out", lines);
    using (var f = new FileStream("t.csv", FileMode.Open, FileAccess.ReadWrite)) {
        f.Seek(100, SeekOrigin.Begin); f.WriteByte(65); }
    Console.WriteLine(lines.Length); } }
"#;

impl Both {
    /// Puts a program into both folders.
    fn install(&self, program: &Path) {
        for folder in ["D", "plain"] {
            let name = program.file_name().unwrap();
            fs::copy(program, self.desk.path(folder).join(name)).unwrap();
        }
    }

    fn compile_csharp(&self) {
        need("mcs", "mono-mcs");
        fs::write(self.desk.path("p.cs"), CSHARP).unwrap();
        let (source, exe) = (self.desk.path("p.cs"), self.desk.path("p.exe"));
        let out = format!("-out:{}", exe.display());
        assert!(Command::new("mcs").arg(out).arg(source).status().unwrap().success());
        self.install(&exe);
    }
}

#[test]
fn a_static_program() {
    let both = Both::new(&[("t.csv", table())]);
    let source = r#"
        #include <stdio.h>
        int main(void) {
            FILE *in = fopen("t.csv", "rb"), *out = fopen("out", "wb");
            unsigned long sum = 0; int c;
            if (!in || !out) return 1;
            while ((c = getc(in)) != EOF) { sum = sum * 31 + (unsigned char)c; putc(c ^ 1, out); }
            printf("%lu\n", sum);
            return fclose(out);
        }"#;
    fs::write(both.desk.path("p.c"), source).unwrap();
    let compile = |to: &str| {
        let to = both.desk.path(to);
        let args = ["-static", "-o", to.to_str().unwrap()];
        let source = both.desk.path("p.c");
        assert!(Command::new("cc").args(args).arg(source).status().unwrap().success());
    };
    compile("D/p");
    compile("plain/p");
    both.same_content("./p");
}

#[test]
fn node() {
    need("node", "nodejs");
    let both = Both::new(&[("t.csv", table())]);
    both.same_content(
        "node -e \"const fs = require('fs'); const t = fs.readFileSync('t.csv', 'utf8').split('\\n');
         fs.writeFileSync('out', t.reverse().join('\\n')); console.log(t.length, fs.statSync('out').size)\"",
    );
}

#[test]
fn go() {
    need("go", "golang-go");
    let both = Both::new(&[("t.csv", table())]);
    fs::write(both.desk.path("p.go"), GO).unwrap();
    let mut build = Command::new("go");
    build.args(["build", "-o", "p", "p.go"]).current_dir(both.desk.path("."));
    build.env("CGO_ENABLED", "0").env("GO111MODULE", "off").env("GOFLAGS", "");
    build.env("GOCACHE", both.desk.path("go-cache")).env("GOPATH", both.desk.path("go"));
    assert!(build.status().unwrap().success());
    both.install(&both.desk.path("p"));
    both.same_content("./p");
}

#[test]
fn mono() {
    need("mono", "mono-runtime");
    let both = Both::new(&[("t.csv", table())]);
    both.compile_csharp();
    both.same_content("mono p.exe");
}

/// The runtime is in a folder of its own, which the run is given as a second one.
#[test]
fn dotnet_core() {
    let both = Both::new(&[("t.csv", table())]);
    both.compile_csharp();
    let config = both.desk.path("p.runtimeconfig.json");
    let text = r#"{"runtimeOptions": {
        "framework": {"name": "Microsoft.NETCore.App", "version": "3.1.0"},
        "configProperties": {"System.Globalization.Invariant": true}}}"#;
    fs::write(&config, text).unwrap();
    both.install(&config);
    let bindings = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("csharp");
    // A run knows folders by their real names.
    let target = fs::canonicalize(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let target = target.parent().unwrap();
    let got = Command::new("sh")
        .args(["-euc", ". \"$here/runtimes.sh\"; need_runtime core"])
        .env("here", &bindings)
        .env("target", target)
        .status();
    assert!(got.unwrap().success(), "bindings/csharp/runtimes.sh gets no .NET Core");
    let runtime = target.join("csharp/core-linux/dotnetcore2/bin");
    let options = ["--dir", runtime.to_str().unwrap()];
    both.same_given(&options, &format!("{}/dotnet p.exe", runtime.display()));
    both.equal_content();
}

#[test]
fn java() {
    need("javac", "default-jdk-headless");
    let both = Both::new(&[("t.csv", table())]);
    let source = r#"
        import java.io.*; import java.nio.*; import java.nio.channels.*; import java.nio.file.*;
        public class P { public static void main(String[] a) throws Exception {
            var lines = Files.readAllLines(Path.of("t.csv"));
            java.util.Collections.reverse(lines);
            Files.write(Path.of("out"), lines);
            long sum = 0;
            try (var in = new BufferedInputStream(new FileInputStream("t.csv"))) {
                for (int b; (b = in.read()) >= 0; ) sum = sum * 31 + (byte) b; }
            System.out.println(sum);
            try (var f = new RandomAccessFile("t.csv", "r")) {
                MappedByteBuffer m = f.getChannel().map(FileChannel.MapMode.READ_ONLY, 0, f.length());
                sum = 0; while (m.hasRemaining()) sum = sum * 31 + m.get();
                System.out.println(lines.size() + " " + sum);
            } } }"#;
    fs::write(both.desk.path("P.java"), source).unwrap();
    let source = both.desk.path("P.java");
    for folder in ["D", "plain"] {
        let to = both.desk.path(folder);
        assert!(Command::new("javac").arg("-d").arg(to).arg(&source).status().unwrap().success());
    }
    both.same_content("java -Xmx64m -cp . P");
}
