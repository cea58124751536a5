import TestFolders
import TestPrograms
import Testing

/// What is typed wrong is named.
struct CommandLineTests {
    @Test(
        arguments: [
            ("records --journal j --last -5", "--last: expected 1 to 10000000"),
            ("demo --litres -1", "'-1' is invalid for '--litres"),
            ("demo --preset -20L", "'-20L' is invalid for '--preset"),
            ("demo --speed -2", "--speed: expected 1 to 100"),
            ("simulate --sales -1", "--sales: expected 1 to 1000000000"),
            ("simulate --sides 9", "--sides: expected 1 to 8 (found 9)"),
            ("simulate --jobs -1", "--jobs: expected 0 to 64 (found -1)"),
            ("simulate --seed -1", "'-1' is invalid for '--seed"), ("simulate --faults -full", "'-full' is invalid"),
            ("card fuzz --apdus -1", "--apdus: expected 1 to 1000000000"),
            ("card fuzz --seed -1", "'-1' is invalid for '--seed"),
            ("card serve --vpcd -1", "'-1' is invalid for '--vpcd"),
            ("card serve --transmission -t1", "'-t1' is invalid for '--transmission"),
            ("card status --aid -F0", "'-F0' is invalid for '--aid"),
            ("card apdu --aid -F0 00", "'-F0' is invalid for '--aid"),
            ("keys new --store s --index -1", "'-1' is invalid for '--index"),
            ("keys new --store s --version -1", "'-1' is invalid for '--version"),
        ]
    )
    func aNumberBelowZeroIsAValueThatIsRefused(command: String, words: String) throws {
        let run = try Run("greylock", command.split(separator: " ").map(String.init))
        #expect(run.status == 64 && run.error.contains(words), "\(command): \(run.error)")
    }

    @Test(
        arguments: [
            ("records --journal -j", "\"-j\" was taken for an option; if it is the value: --journal=-j"),
            ("card show --state --json", "\"--json\" was taken for an option; if it is the value: --state=--json"),
        ]
    )
    func aTextThatBeginsAsAnOptionIsTakenForOneAndThatIsSaid(command: String, words: String) throws {
        let run = try Run("greylock", command.split(separator: " ").map(String.init))
        #expect(run.status == 64 && run.error.contains("Missing value for"), "\(command): \(run.error)")
        #expect(run.error.contains(words), "\(command): \(run.error)")
    }

    @Test func theServiceSaysItToo() throws {
        let run = try Run("greylockd", ["--config", "--close-valves"])
        #expect(run.status == 64 && run.error.contains("if it is the value: --config=--close-valves"), "\(run.error)")
        #expect(try Run("greylockd", ["--config"]).error.contains("was taken for an option") == false)
    }

    /// libdispatch tells each user who may not have its priorities, at the end of the first queue (decision record 0020).
    @Test func lookingAtAJournalStartsNoThread() throws {
        let folder = try TestFolder()
        try makeJournal(folder.path("journal"))
        let config = try folder.file("greylock.toml", toolConfiguration(journal: folder.path("journal")))
        let source = try folder.file(
            "threads.c",
            """
            #define _GNU_SOURCE
            #include <dlfcn.h>
            #include <pthread.h>
            #include <unistd.h>
            int pthread_create(pthread_t *id, const pthread_attr_t *kind, void *(*body)(void *), void *argument) {
              if (write(STDERR_FILENO, "a thread\\n", 9) < 0) {}
              return ((int (*)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *))dlsym(
                  RTLD_NEXT, "pthread_create"))(id, kind, body, argument);
            }
            """
        )
        let library = folder.path("threads.so")
        #expect(
            try Run(command: ["/usr/bin/env", "cc", "-shared", "-fPIC", "-o", library, source, "-ldl"]).status == 0
        )
        let run = try Run(
            script: #"""
                export LD_PRELOAD=$1; shift
                "$BIN/greylock" records --journal "$1" && "$BIN/greylock" position --config "$2"
                """#,
            [library, folder.path("journal"), config]
        )
        #expect(run.status == 0 && run.error.isEmpty, "\(run.error)")
        #expect(run.output.contains("records: 1"))
    }
}
