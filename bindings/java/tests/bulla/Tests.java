package bulla;

import static bulla.Office.all;
import static bulla.Office.check;
import static bulla.Office.same;
import static bulla.Office.thrown;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Runs every method that takes an office. Exit status 1 if one fails. */
public final class Tests {
    private Tests() {}

    public static void main(String[] names) throws Exception {
        int failed = 0;
        List<Method> methods = new ArrayList<>();
        for (Class<?> each : new Class<?>[] {ReadingTests.class, WritingTests.class, ErrorTests.class,
            CallbackTests.class, HandleTests.class, Tests.class}) {
            methods.addAll(Arrays.asList(each.getDeclaredMethods()));
        }
        for (Method each : methods) {
            if (!Arrays.equals(each.getParameterTypes(), new Class<?>[] {Office.class})) continue;
            if (each.isSynthetic()) continue;
            if (names.length > 0 && !Arrays.asList(names).contains(each.getName())) continue;
            int held = Callbacks.held();
            long leaked = Handle.leaked();
            try (Office office = new Office()) {
                each.invoke(null, office);
                System.out.println("ok " + each.getName());
            } catch (InvocationTargetException e) {
                failed++;
                System.out.println("FAILED " + each.getName());
                e.getCause().printStackTrace(System.out);
            }
            if (Callbacks.held() != held) {
                failed++;
                System.out.println("FAILED " + each.getName() + ": a callback is kept");
            }
            System.gc();
            if (Handle.leaked() != leaked && !each.getName().equals("lostHandlesAreReported")) {
                failed++;
                System.out.println("FAILED " + each.getName() + ": a handle was never closed");
            }
        }
        if (failed > 0) System.exit(1);
    }

    static void otherLibraries(Office office) throws Exception {
        check(told("/no/such/libbulla.so").contains("Looked for /no/such/libbulla.so (BULLA_LIBRARY)"),
                "where it looked");
        check(told(library(office, "int nothing;")).contains("is not the bulla library"), "another");
        check(told(library(office, "unsigned bulla_abi_version(void) { return 7; }"))
                .contains("has ABI 7 and is newer than these classes"), "newer");
        check(told(library(office, "unsigned bulla_abi_version(void) { return 0; }"))
                .contains("is older than these classes"), "older");
    }

    private static String library(Office office, String source) throws Exception {
        Path path = office.at("stand-in-" + source.hashCode() + ".so");
        Files.write(office.at("s.c"), source.getBytes(StandardCharsets.UTF_8));
        Process made = new ProcessBuilder("cc", "-shared", "-fPIC", "-o", path.toString(),
                office.at("s.c").toString()).inheritIO().start();
        check(made.waitFor() == 0, "compiled");
        return path.toString();
    }

    private static String told(String library) throws Exception {
        ProcessBuilder other = new ProcessBuilder(System.getProperty("java.home") + "/bin/java",
                "-Djna.boot.library.path=" + System.getProperty("jna.boot.library.path"), "-cp",
                System.getProperty("java.class.path"), "bulla.Tests$Loading");
        other.environment().put("BULLA_LIBRARY", library);
        Process started = other.redirectErrorStream(true).start();
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(
                started.getInputStream(), StandardCharsets.UTF_8))) {
            String all = lines.lines().collect(java.util.stream.Collectors.joining("\n"));
            check(started.waitFor() == 0, all);
            return all;
        }
    }

    /** A process of its own, with another library: says twice why it cannot be used. */
    public static final class Loading {
        private Loading() {}

        public static void main(String[] none) {
            String first = thrown(LibraryException.class, Sealed::libraryVersion).getMessage();
            same(thrown(LibraryException.class, () -> Session.start(new Session.Options())).getMessage(),
                    first);
            System.out.println(first);
        }
    }
}
