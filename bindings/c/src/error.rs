//! What went wrong, as an object.

use crate::guard::guard_or;
use crate::ptr;
use bulla_core::{Class, Code};
use std::ffi::{CStr, CString, c_char};

/// What went wrong. It belongs to whoever called, who frees it with `bulla_error_free`. It can be
/// read by many threads at once.
pub struct Error {
    code: Code,
    message: CString,
    decision: Option<CString>,
}

impl Error {
    pub(crate) fn new(error: bulla_core::Error) -> Self {
        let message = error.to_string();
        let decision = error.decision().and_then(|d| serde_json::to_string(d).ok());
        // JSON escapes NUL; a system's own message has none.
        let message = CString::new(message.replace('\0', "")).unwrap_or_default();
        let decision = decision.and_then(|json| CString::new(json).ok());
        Error { code: error.code(), message, decision }
    }
}

/// The code of an error: one of `BULLA_E_*`, the same that the call returned. `BULLA_OK` for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bulla_error_code(error: *const Error) -> i32 {
    guard_or(Code::Internal.number(), || {
        ptr::error(error).map_or(crate::guard::OK, |e| e.code.number())
    })
}

/// What happened and what to do, in English: for people and logs, not to be parsed. It holds no
/// keys, contents or file names. Never NULL; empty for NULL. Valid until the error is freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bulla_error_message(error: *const Error) -> *const c_char {
    guard_or(c"".as_ptr(), || ptr::error(error).map_or(c"", |e| &e.message).as_ptr())
}

/// The stable name of the error's code, as `bulla_code_name` gives it; empty for NULL. Static.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bulla_error_name(error: *const Error) -> *const c_char {
    guard_or(c"".as_ptr(), || ptr::error(error).map_or(c"", |e| name(e.code)).as_ptr())
}

/// What kind of failure it is: `argument`, `io`, `format`, `tampered`, `denied`, `state` or
/// `internal`; empty for NULL. Static.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bulla_error_class(error: *const Error) -> *const c_char {
    guard_or(c"".as_ptr(), || ptr::error(error).map_or(c"", |e| class(e.code.class())).as_ptr())
}

/// Of a denial by a policy: the decision as JSON, with which conditions failed, what was known and
/// what would do (`docs/policy.md`). NULL for other errors. Valid until the error is freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bulla_error_decision(error: *const Error) -> *const c_char {
    guard_or(std::ptr::null(), || {
        let decision = ptr::error(error).and_then(|e| e.decision.as_deref());
        decision.map_or(std::ptr::null(), CStr::as_ptr)
    })
}

/// Frees an error and the strings that it owns. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bulla_error_free(error: *mut Error) {
    guard_or((), || ptr::free_error(error));
}

/// The stable name of a code, such as `not-sealed`; NULL for a number that is none. Static.
#[unsafe(no_mangle)]
pub extern "C" fn bulla_code_name(code: i32) -> *const c_char {
    guard_or(std::ptr::null(), || {
        if code == crate::guard::OK {
            return c"ok".as_ptr();
        }
        let found = Code::ALL.iter().copied().find(|c| c.number() == code);
        found.map_or(std::ptr::null(), |c| name(c).as_ptr())
    })
}

/// Frees a string that one of the functions gave as `char *`. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bulla_string_free(string: *mut c_char) {
    guard_or((), || ptr::free_string(string));
}

fn class(class: Class) -> &'static CStr {
    match class {
        Class::Argument => c"argument",
        Class::Io => c"io",
        Class::Format => c"format",
        Class::Tampered => c"tampered",
        Class::Denied => c"denied",
        Class::State => c"state",
        _ => c"internal",
    }
}

/// The names with the NUL that C needs, made once.
fn name(code: Code) -> &'static CStr {
    static NAMES: std::sync::LazyLock<Vec<(Code, CString)>> = std::sync::LazyLock::new(|| {
        let name = |c: &Code| (*c, CString::new(c.name()).unwrap_or_default());
        Code::ALL.iter().map(name).collect()
    });
    NAMES.iter().find(|(c, _)| *c == code).map_or(c"", |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_have_the_cores_names() {
        for code in Code::ALL {
            assert_eq!(class(code.class()).to_str(), Ok(code.class().name()));
        }
    }
}
