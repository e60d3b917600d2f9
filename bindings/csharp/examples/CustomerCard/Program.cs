using System;
using System.Windows.Forms;

namespace CustomerCard
{
    /// <summary>Shows customers' cards out of a sealed CSV. usage: CustomerCard HOME FILE [TICKET]</summary>
    internal static class Program
    {
        [STAThread]
        private static int Main(string[] arguments)
        {
            if (arguments.Length < 2)
            {
                Console.Error.WriteLine("usage: CustomerCard HOME FILE [TICKET]");
                return 2;
            }
            Application.EnableVisualStyles();
            Application.Run(new CardWindow(arguments[0], arguments[1], arguments.Length > 2 ? arguments[2] : null));
            return 0;
        }
    }
}
