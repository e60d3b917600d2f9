//! What every exported function runs in: a panic ends here, and comes back as an error.

use crate::error::Error;
use crate::ptr;
use bulla_core::{Code, Result};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Status of a call that did what it was asked for.
pub(crate) const OK: i32 = 0;

/// Runs `body`, and gives its status. Where it fails, `err` (which may be NULL) gets the error.
pub(crate) unsafe fn guard<F: FnOnce() -> Result<()>>(err: *mut *mut Error, body: F) -> i32 {
    ptr::clear(err);
    let done = catch_unwind(AssertUnwindSafe(|| {
        test_panic::<F>();
        body()
    }));
    let error = match done {
        Ok(Ok(())) => return OK,
        Ok(Err(e)) => e,
        Err(_) => {
            let why = "a defect in the library; free the handles of this call, and report it";
            bulla_core::Error::new(Code::Internal, why)
        }
    };
    let status = error.code().number();
    ptr::give_error(err, error);
    status
}

/// The same for functions that report no error: gives `otherwise` instead.
pub(crate) fn guard_or<T, F: FnOnce() -> T>(otherwise: T, body: F) -> T {
    let done = catch_unwind(AssertUnwindSafe(|| {
        test_panic::<F>();
        body()
    }));
    done.unwrap_or(otherwise)
}

#[cfg(not(feature = "test-panic"))]
fn test_panic<F>() {}

#[cfg(feature = "test-panic")]
use testing::test_panic;

/// Panics on demand. A closure's type is named after the function that it stands in.
#[cfg(feature = "test-panic")]
pub(crate) mod testing {
    use std::cell::RefCell;
    use std::ffi::{CStr, c_char};

    thread_local! {
        static TARGET: RefCell<Option<(String, bool)>> = const { RefCell::new(None) };
    }

    /// The next call of `function` in this thread panics: at its start, or once it has checked a
    /// handle. Only in builds for tests.
    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn bulla_test_panic(function: *const c_char, in_handle: i32) {
        std::panic::set_hook(Box::new(|_| {}));
        let name = CStr::from_ptr(function).to_string_lossy().into_owned();
        TARGET.set(Some((format!("::{name}::"), in_handle != 0)));
    }

    pub(super) fn test_panic<F>() {
        let hit = TARGET.with_borrow(|target| match target {
            Some((name, false)) => std::any::type_name::<F>().contains(name.as_str()),
            _ => false,
        });
        if hit {
            TARGET.set(None);
            panic!("as asked for");
        }
    }

    pub(crate) fn in_handle() {
        if TARGET.with_borrow(|t| matches!(t, Some((_, true)))) {
            TARGET.set(None);
            panic!("as asked for");
        }
    }
}
