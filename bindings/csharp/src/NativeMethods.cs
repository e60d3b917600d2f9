using System;
using System.Runtime.InteropServices;

namespace Bulla
{
    /// <summary>
    /// The functions of bulla.h. All that is passed is blittable, except handles: the runtime keeps these alive during
    /// the call, so that a handle which is disposed meanwhile is freed after it.
    /// </summary>
    /// <remarks>
    /// Mono looks functions up when it compiles a method that calls them. So a method which calls
    /// <see cref="LibraryLoader.Ensure"/> must not call these itself, nor what is inlined into it.
    /// </remarks>
    internal static unsafe class NativeMethods
    {
        internal const string Library = "libbulla";
        private const CallingConvention C = CallingConvention.Cdecl;

        // --- Versions, names, errors, strings ---

        [DllImport(Library, CallingConvention = C)]
        internal static extern uint bulla_abi_version();

        [DllImport(Library, CallingConvention = C)]
        internal static extern byte* bulla_version();

        [DllImport(Library, CallingConvention = C)]
        internal static extern byte* bulla_error_message(IntPtr error);

        [DllImport(Library, CallingConvention = C)]
        internal static extern byte* bulla_error_name(IntPtr error);

        [DllImport(Library, CallingConvention = C)]
        internal static extern byte* bulla_error_decision(IntPtr error);

        [DllImport(Library, CallingConvention = C)]
        internal static extern void bulla_error_free(IntPtr error);

        [DllImport(Library, CallingConvention = C)]
        internal static extern byte* bulla_code_name(int code);

        [DllImport(Library, CallingConvention = C)]
        internal static extern void bulla_string_free(byte* text);

        // --- Sessions ---

        [DllImport(Library, CallingConvention = C)]
        internal static extern int bulla_session_start(NativeSessionOptions* options, IntPtr* session, IntPtr* error);

        [DllImport(Library, CallingConvention = C)]
        internal static extern int bulla_session_refresh(SessionHandle session, IntPtr* error);

        [DllImport(Library, CallingConvention = C)]
        internal static extern int bulla_session_use_badge(SessionHandle session, byte* badge, byte** attestations,
            UIntPtr count, IntPtr* error);

        [DllImport(Library, CallingConvention = C)]
        internal static extern int bulla_session_explain(SessionHandle session, byte* path, byte* facts, byte** json,
            IntPtr* error);

        [DllImport(Library, CallingConvention = C)]
        internal static extern int bulla_session_device(SessionHandle session, byte** thumbprint, IntPtr* error);

        [DllImport(Library, CallingConvention = C)]
        internal static extern void bulla_session_free(IntPtr session);

        [DllImport(Library, CallingConvention = C)]
        internal static extern int bulla_trail_verify(IntPtr session, byte* path, byte** json, IntPtr* error);

        [DllImport(Library, CallingConvention = C, EntryPoint = "bulla_trail_verify")]
        internal static extern int bulla_trail_verify_of(SessionHandle session, byte* path, byte** json,
            IntPtr* error);

        // --- Files ---

        [DllImport(Library, CallingConvention = C)]
        internal static extern int bulla_file_open(SessionHandle session, byte* path, NativeOpenOptions* options,
            IntPtr* file, IntPtr* error);

        [DllImport(Library, CallingConvention = C)]
        internal static extern int bulla_file_open_w(SessionHandle session, ushort* path, NativeOpenOptions* options,
            IntPtr* file, IntPtr* error);

        [DllImport(Library, CallingConvention = C)]
        internal static extern int bulla_file_open_source(SessionHandle session, NativeSource* source,
            NativeOpenOptions* options, IntPtr* file, IntPtr* error);

        [DllImport(Library, CallingConvention = C)]
        internal static extern int bulla_file_size(FileHandle file, ulong* size, IntPtr* error);

        [DllImport(Library, CallingConvention = C)]
        internal static extern int bulla_file_pread(FileHandle file, ulong offset, byte* buffer, UIntPtr length,
            UIntPtr* read, IntPtr* error);

        [DllImport(Library, CallingConvention = C)]
        internal static extern int bulla_file_rights(FileHandle file, uint* rights, IntPtr* error);

        [DllImport(Library, CallingConvention = C)]
        internal static extern int bulla_file_duties(FileHandle file, uint right, uint* duties, byte** columns,
            IntPtr* error);

        [DllImport(Library, CallingConvention = C)]
        internal static extern int bulla_file_until(FileHandle file, ulong* until, IntPtr* error);

        [DllImport(Library, CallingConvention = C)]
        internal static extern int bulla_file_decision(FileHandle file, byte** json, IntPtr* error);

        [DllImport(Library, CallingConvention = C)]
        internal static extern int bulla_file_watermark(FileHandle file, byte** text, IntPtr* error);

        [DllImport(Library, CallingConvention = C)]
        internal static extern int bulla_file_metadata(FileHandle file, NativeMetadata* metadata, IntPtr* error);

        [DllImport(Library, CallingConvention = C)]
        internal static extern int bulla_file_id(FileHandle file, byte** id, IntPtr* error);

        [DllImport(Library, CallingConvention = C)]
        internal static extern int bulla_file_revision(FileHandle file, ulong* revision, IntPtr* error);

        [DllImport(Library, CallingConvention = C)]
        internal static extern int bulla_file_use(FileHandle file, uint right, IntPtr* error);

        [DllImport(Library, CallingConvention = C)]
        internal static extern int bulla_file_export(FileHandle file, byte* path, NativeExportOptions* options,
            ulong* bytes, IntPtr* error);

        [DllImport(Library, CallingConvention = C)]
        internal static extern int bulla_file_export_w(FileHandle file, ushort* path, NativeExportOptions* options,
            ulong* bytes, IntPtr* error);

        [DllImport(Library, CallingConvention = C)]
        internal static extern int bulla_file_export_sink(FileHandle file, NativeSink* sink,
            NativeExportOptions* options, ulong* bytes, IntPtr* error);

        [DllImport(Library, CallingConvention = C)]
        internal static extern int bulla_file_save(FileHandle file, NativeMetadata* metadata, IntPtr* writer,
            IntPtr* error);

        [DllImport(Library, CallingConvention = C)]
        internal static extern int bulla_file_save_to(FileHandle file, NativeSink* sink, NativeMetadata* metadata,
            IntPtr* writer, IntPtr* error);

        [DllImport(Library, CallingConvention = C)]
        internal static extern void bulla_file_free(IntPtr file);

        // --- Writers ---

        [DllImport(Library, CallingConvention = C)]
        internal static extern int bulla_writer_write(WriterHandle writer, byte* data, UIntPtr length, IntPtr* error);

        [DllImport(Library, CallingConvention = C)]
        internal static extern int bulla_writer_finish(WriterHandle writer, IntPtr* error);

        [DllImport(Library, CallingConvention = C)]
        internal static extern int bulla_writer_file_id(WriterHandle writer, byte** id, IntPtr* error);

        [DllImport(Library, CallingConvention = C)]
        internal static extern void bulla_writer_free(IntPtr writer);

        // --- Sealers ---

        [DllImport(Library, CallingConvention = C)]
        internal static extern int bulla_sealer_new(NativeSealerOptions* options, IntPtr* sealer, IntPtr* error);

        [DllImport(Library, CallingConvention = C)]
        internal static extern int bulla_sealer_from_template(SessionHandle session, byte* template, byte* permit,
            uint flags, IntPtr* sealer, IntPtr* error);

        [DllImport(Library, CallingConvention = C)]
        internal static extern int bulla_sealer_seal_file(SealerHandle sealer, byte* from, byte* to,
            NativeSealOptions* options, byte** id, IntPtr* error);

        [DllImport(Library, CallingConvention = C)]
        internal static extern int bulla_sealer_seal_file_w(SealerHandle sealer, ushort* from, ushort* to,
            NativeSealOptions* options, byte** id, IntPtr* error);

        [DllImport(Library, CallingConvention = C)]
        internal static extern int bulla_sealer_begin(SealerHandle sealer, byte* path, NativeSealOptions* options,
            IntPtr* writer, IntPtr* error);

        [DllImport(Library, CallingConvention = C)]
        internal static extern int bulla_sealer_begin_w(SealerHandle sealer, ushort* path, NativeSealOptions* options,
            IntPtr* writer, IntPtr* error);

        [DllImport(Library, CallingConvention = C)]
        internal static extern int bulla_sealer_begin_sink(SealerHandle sealer, NativeSink* sink,
            NativeSealOptions* options, IntPtr* writer, IntPtr* error);

        [DllImport(Library, CallingConvention = C)]
        internal static extern void bulla_sealer_free(IntPtr sealer);

        // --- Without keys, and windows ---

        [DllImport(Library, CallingConvention = C)]
        internal static extern int bulla_is_sealed(byte* start, UIntPtr length);

        [DllImport(Library, CallingConvention = C)]
        internal static extern int bulla_inspect(byte* path, ulong* size, byte** json, IntPtr* error);

        [DllImport(Library, CallingConvention = C)]
        internal static extern int bulla_inspect_w(ushort* path, ulong* size, byte** json, IntPtr* error);

        [DllImport(Library, CallingConvention = C)]
        internal static extern int bulla_inspect_source(NativeSource* source, ulong* size, byte** json, IntPtr* error);

        [DllImport(Library, CallingConvention = C)]
        internal static extern int bulla_window_protect(IntPtr window, IntPtr* error);

        [DllImport(Library, CallingConvention = C)]
        internal static extern int bulla_clipboard_guard(IntPtr window, IntPtr* error);
    }
}
