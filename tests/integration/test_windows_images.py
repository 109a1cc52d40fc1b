#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""deploy/windows as far as it can be looked at without Windows: XML against the names that Microsoft's reference of unattended settings has, options of
cloudbase-init against its documentation, and nothing secret in any of them."""
import configparser
import os
import re
import unittest
import xml.etree.ElementTree as xml

TOP = os.path.realpath(os.environ.get("top_srcdir") or os.path.join(os.path.dirname(__file__), "..", ".."))
FOLDER = TOP + "/deploy/windows/"
UNATTEND = "{urn:schemas-microsoft-com:unattend}"
WCM = "{http://schemas.microsoft.com/WMIConfig/2002/State}"
PASSES = ("windowsPE", "offlineServicing", "generalize", "specialize", "auditSystem", "auditUser", "oobeSystem")

# component: the passes that it has, and paths of settings below it ("Windows unattended setup reference").
LOCALE = {"InputLocale", "SystemLocale", "UILanguage", "UserLocale"}
DISK = "DiskConfiguration/Disk/"
REFERENCE = {
    "Microsoft-Windows-International-Core-WinPE": (("windowsPE",), LOCALE | {"SetupUILanguage/UILanguage"}),
    "Microsoft-Windows-International-Core": (("specialize", "oobeSystem"), LOCALE),
    "Microsoft-Windows-PnpCustomizationsWinPE": (("windowsPE",), {"DriverPaths/PathAndCredentials/Path"}),
    "Microsoft-Windows-Setup": (("windowsPE",), {
        "DiskConfiguration/WillShowUI", DISK + "DiskID", DISK + "WillWipeDisk",
        *(DISK + "CreatePartitions/CreatePartition/" + n for n in ("Order", "Type", "Size", "Extend")),
        *(DISK + "ModifyPartitions/ModifyPartition/" + n for n in ("Order", "PartitionID", "Format", "Label", "Letter", "TypeID", "Active")),
        "ImageInstall/OSImage/InstallFrom/MetaData/Key", "ImageInstall/OSImage/InstallFrom/MetaData/Value", "ImageInstall/OSImage/InstallTo/DiskID",
        "ImageInstall/OSImage/InstallTo/PartitionID", "ImageInstall/OSImage/WillShowUI", "UserData/AcceptEula", "UserData/ProductKey/WillShowUI",
        "UserData/ProductKey/Key"}),
    "Microsoft-Windows-Shell-Setup": (("offlineServicing", "generalize", "specialize", "auditSystem", "auditUser", "oobeSystem"), {
        "ComputerName", "TimeZone",
        *("OOBE/" + n for n in ("HideEULAPage", "HideOEMRegistrationScreen", "HideOnlineAccountScreens", "HideWirelessSetupInOOBE", "ProtectYourPC",
                                "UnattendEnableRetailDemo")),
        "UserAccounts/AdministratorPassword/Value", "UserAccounts/AdministratorPassword/PlainText", "AutoLogon/Enabled", "AutoLogon/LogonCount",
        "AutoLogon/Username", "AutoLogon/Password/Value", "AutoLogon/Password/PlainText",
        *("FirstLogonCommands/SynchronousCommand/" + n for n in ("Order", "Description", "CommandLine"))}),
    "Microsoft-Windows-TerminalServices-LocalSessionManager": (("offlineServicing", "generalize", "specialize"), {"fDenyTSConnections"}),
    "Microsoft-Windows-TerminalServices-RDP-WinStationExtensions": (("offlineServicing", "generalize", "specialize"), {"SecurityLayer", "UserAuthentication"}),
    "Networking-MPSSVC-Svc": (("offlineServicing", "generalize", "specialize"), {"FirewallGroups/FirewallGroup/" + n for n in ("Active", "Group", "Profile")}),
    "Microsoft-Windows-PnpSysprep": (("generalize", "specialize"), {"PersistAllDeviceInstalls", "DoNotCleanUpNonPresentDevices"}),
    "Microsoft-Windows-Deployment": (("generalize", "specialize", "auditSystem", "auditUser", "oobeSystem"),
                                     {"RunSynchronous/RunSynchronousCommand/" + n for n in ("Order", "Description", "Path", "WillReboot")}),
}
CLOUDBASE = {"config_drive_types", "config_drive_locations", "metadata_services", "plugins", "local_scripts_path", "allow_reboot", "stop_service_on_exit",
             "check_latest_version", "logdir", "logfile"}


def leaves(element, path=""):
    for child in element:
        name = path + child.tag.replace(UNATTEND, "")
        if len(child):
            yield from leaves(child, name + "/")
        else:
            yield name, (child.text or "").strip()


def text(name):
    with open(FOLDER + name, encoding="utf-8") as f:
        return f.read()


class Answers(unittest.TestCase):
    def components(self):
        for name in ("autounattend.xml", "unattend-clone.xml"):
            root = xml.parse(FOLDER + name).getroot()
            self.assertEqual(root.tag, UNATTEND + "unattend")
            for settings in root:
                self.assertIn(settings.attrib["pass"], PASSES)
                for component in settings:
                    yield name, settings.attrib["pass"], component

    def test_components_and_settings_are_those_of_the_reference(self):
        for name, which, component in self.components():
            what = component.attrib["name"]
            self.assertIn(what, REFERENCE, name)
            passes, known = REFERENCE[what]
            self.assertIn(which, passes, "%s: %s" % (name, what))
            self.assertEqual(component.attrib["processorArchitecture"], "amd64")
            for path, _ in leaves(component):
                self.assertIn(path, known, "%s: %s" % (name, what))

    def test_list_items_are_added_and_orders_are_each_once(self):
        for name, which, component in self.components():
            for parent in component.iter():
                orders = [c.findtext(UNATTEND + "Order") for c in parent if c.find(UNATTEND + "Order") is not None]
                self.assertEqual(orders, [str(i + 1) for i in range(len(orders))], "%s: %s" % (name, component.attrib["name"]))
                for child in parent:
                    if child.find(UNATTEND + "Order") is not None:
                        self.assertEqual(child.attrib.get(WCM + "action"), "add")

    def test_no_password_and_no_key_is_in_them(self):
        for name, _, component in self.components():
            for path, value in leaves(component):
                if "Password" in path and path.endswith("/Value") or path.endswith("ProductKey/Key"):
                    self.assertEqual(value, "", name)

    def test_the_clone_runs_the_agent_where_it_was_installed(self):
        path = [v for _, _, c in self.components() for p, v in leaves(c) if p.endswith("RunSynchronousCommand/Path")]
        self.assertEqual(len(path), 1)
        self.assertIn(r'"C:\Program Files\Puesto\puesto-agent.exe" --seed', path[0])
        self.assertIn("Join-Path $env:ProgramFiles 'Puesto'", text("install.ps1"))
        with open(TOP + "/agent/windows/main.c", encoding="utf-8") as f:
            options = set(re.findall(r'"(--[a-z]+)"', f.read()))
        for name in ("install.ps1", "prepare.ps1"):
            for option in re.findall(r"'(--[a-z]+)'", text(name)):
                self.assertIn(option, options, name)


class Scripts(unittest.TestCase):
    def test_quotes_and_brackets_of_powershell_close(self):
        pairs = {")": "(", "]": "[", "}": "{"}
        for name in ("install.ps1", "prepare.ps1"):
            code = re.sub(r"<#.*?#>", "", text(name), flags=re.S)
            code = re.sub(r"(?m)^\s*#.*$", "", code)
            code = re.sub(r"'[^'\n]*'", "''", code)
            code = re.sub(r'"(?:`.|[^"`\n])*"', '""', code)
            self.assertNotRegex(code.replace("''", "").replace('""', ""), "['\"]", name)
            stack = []
            for c in code:
                if c in "([{":
                    stack.append(c)
                elif c in pairs:
                    self.assertTrue(stack and stack.pop() == pairs[c], name)
            self.assertEqual(stack, [], name)

    def test_what_install_copies_is_what_the_build_puts_there(self):
        copied = re.search(r"foreach \(\$name in ([^)]*)\)", text("install.ps1"))[1]
        names = set(re.findall(r"'([^']+)'", copied)) - {"puesto-agent.exe"}
        with open(TOP + "/agent/windows/local.mk", encoding="utf-8") as f:
            line = re.search(r"^WINDOWS_IMAGE = (.*)$", f.read(), re.M)[1]
        self.assertLessEqual(names, {os.path.basename(w) for w in line.split()})

    def test_cloudbase_init_knows_the_options(self):
        conf = configparser.RawConfigParser(strict=True)
        conf.read(FOLDER + "cloudbase-init.conf")
        self.assertEqual(conf.sections(), [])
        self.assertLessEqual(set(conf.defaults()), CLOUDBASE)
        for name in conf.defaults()["plugins"].split(",") + conf.defaults()["metadata_services"].split(","):
            self.assertRegex(name, r"^cloudbaseinit(\.[a-z]+)+\.[A-Za-z]+$")


if __name__ == "__main__":
    unittest.main()
