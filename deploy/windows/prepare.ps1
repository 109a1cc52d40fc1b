# SPDX-License-Identifier: GPL-3.0-or-later
<#
.SYNOPSIS
  Makes this Windows an image: looks whether it can be one, forgets what is this machine's alone, generalises it with sysprep and switches it off.
.PARAMETER Check
  Only looks.
.PARAMETER Answers
  The answers for the clones' first start (unattend-clone.xml beside this script).
#>
[CmdletBinding()]
param(
	[switch] $Check,
	[string] $Answers = (Join-Path $PSScriptRoot 'unattend-clone.xml')
)
Set-StrictMode -Version 2
$ErrorActionPreference = 'Stop'

$program = Join-Path $env:ProgramFiles 'Puesto\puesto-agent.exe'
$sysprep = Join-Path $env:SystemRoot 'System32\Sysprep\sysprep.exe'
$problems = New-Object System.Collections.ArrayList

function Add-Problem([string] $Text) {
	[void] $problems.Add($Text)
}

$me = New-Object Security.Principal.WindowsPrincipal([Security.Principal.WindowsIdentity]::GetCurrent())
if (-not $me.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)) {
	Add-Problem 'This is for an administrator: start PowerShell with "Run as administrator".'
}
if (-not (Test-Path $program)) {
	Add-Problem "The agent is not there ($program): run install.ps1."
}
if (-not (Test-Path $Answers)) {
	Add-Problem "There are no answers for the clones: $Answers."
} else {
	try {
		[void] [xml] (Get-Content -Raw $Answers)
	} catch {
		Add-Problem "The answers are no XML: $_"
	}
}
if ((Get-CimInstance Win32_ComputerSystem).PartOfDomain) {
	Add-Problem 'The machine is a member of a domain: leave it; clones join by themselves.'
}
foreach ($key in 'Component Based Servicing\RebootPending', 'WindowsUpdate\Auto Update\RebootRequired') {
	if (Test-Path "HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\$key") {
		Add-Problem 'Updates wait for a restart: restart, and come again.'
		break
	}
}
if (Get-Command Get-BitLockerVolume -ErrorAction SilentlyContinue) {
	if (Get-BitLockerVolume | Where-Object { $_.VolumeStatus -ne 'FullyDecrypted' }) {
		Add-Problem 'A volume is encrypted by BitLocker: its key would be in no clone. Decrypt it (Disable-BitLocker) and wait.'
	}
}
# What a user got from the Store, and the others did not, stops sysprep half-way.
if (Get-Command Get-AppxPackage -ErrorAction SilentlyContinue) {
	$known = @(Get-AppxProvisionedPackage -Online | ForEach-Object { $_.DisplayName })
	foreach ($package in Get-AppxPackage -AllUsers) {
		if (-not $package.IsFramework -and -not $package.NonRemovable -and $package.SignatureKind -eq 'Store' -and $known -notcontains $package.Name) {
			Add-Problem "The app $($package.Name) is there for some users only: Remove-AppxPackage -AllUsers $($package.PackageFullName)"
		}
	}
}

if ($problems.Count -gt 0) {
	$problems | ForEach-Object { Write-Warning $_ }
	throw "This cannot become an image yet: $($problems.Count) reasons."
}
Write-Output 'This can become an image.'
if ($Check) {
	exit 0
}

# From here on this machine has no identity: what is done is done for the clones.
Stop-Service -Name PuestoAgent -ErrorAction SilentlyContinue
# The folder is SYSTEM's alone; so is what is in it.
$action = New-ScheduledTaskAction -Execute $program -Argument '--forget'
Register-ScheduledTask -TaskName 'Puesto forget' -Action $action -User 'SYSTEM' -RunLevel Highest -Force | Out-Null
Start-ScheduledTask -TaskName 'Puesto forget'
while ((Get-ScheduledTask -TaskName 'Puesto forget').State -eq 'Running') {
	Start-Sleep -Milliseconds 200
}
$result = (Get-ScheduledTaskInfo -TaskName 'Puesto forget').LastTaskResult
Unregister-ScheduledTask -TaskName 'Puesto forget' -Confirm:$false
if ($result -ne 0) {
	throw "The agent's identity was not forgotten ($result): this must not become an image."
}

Remove-Item -Recurse -Force "$env:TEMP\*", "$env:SystemRoot\Temp\*", "$env:SystemRoot\SoftwareDistribution\Download\*" -ErrorAction SilentlyContinue
Clear-DnsClientCache
& wevtutil.exe el | ForEach-Object { & wevtutil.exe cl $_ 2>$null }
# Freed blocks are given back to the disk, where it takes them.
Optimize-Volume -DriveLetter C -ReTrim -ErrorAction SilentlyContinue

$panther = Join-Path $env:SystemRoot 'Panther\unattend-clone.xml'
Copy-Item -Force $Answers $panther
& $sysprep /generalize /oobe /shutdown /quiet "/unattend:$panther"
