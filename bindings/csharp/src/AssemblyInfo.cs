using System.Reflection;
using System.Runtime.InteropServices;

[assembly: AssemblyTitle("Bulla")]
[assembly: AssemblyDescription("Sealed files: opens, reads and makes them where their policy allows it.")]
[assembly: AssemblyVersion("0.1.0.0")]
[assembly: AssemblyFileVersion("0.1.0.0")]
[assembly: AssemblyInformationalVersion("0.1.0")]
[assembly: ComVisible(false)]
